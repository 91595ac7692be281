package orderroute;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts the engine with the rules of the order route around it. */
@SpringBootApplication
public class OrderRouteServer {

  public static void main(String[] args) {
    SpringApplication.run(OrderRouteServer.class, args);
  }
}
