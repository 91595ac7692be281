package orderroute;

import com.fasterxml.jackson.core.StreamReadConstraints;
import java.util.Map;
import java.util.TimeZone;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Starts the engine with the rules of the order route around it. */
@SpringBootApplication
public class OrderRouteServer {

  /** A file of 20 MiB travels as base64 inside one JSON string; the stock limit of 20 million characters is too low. */
  private static final int LONGEST_JSON_STRING = 40_000_000;

  public static void main(String[] args) {
    // The database holds times without a zone: they must mean the same wherever the server runs.
    TimeZone.setDefault(TimeZone.getTimeZone("UTC"));
    // Diagrams are read against the schemas inside the engine only.
    System.setProperty("javax.xml.accessExternalSchema", "nested,jar:nested,jar:file");
    StreamReadConstraints.overrideDefaultStreamReadConstraints(
        StreamReadConstraints.builder().maxStringLength(LONGEST_JSON_STRING).build());
    try {
      Map<String, String> environment = SecretFiles.read(System.getenv());
      if (args.length == 1 && args[0].equals("--copy-database")) {
        copyDatabase(environment);
        return;
      }
      EmbeddedDatabase.prepare(environment);
      ServerDatabase.startInTurn(environment, () -> SpringApplication.run(OrderRouteServer.class, args));
    } catch (IllegalStateException refused) {
      System.err.println(refused.getMessage());
      System.exit(2);
    }
  }

  /** A backup while the server does not run: the same copy, by the program that knows the file. */
  private static void copyDatabase(Map<String, String> environment) {
    try {
      DatabaseCopy.ofStopped(
          environment.get("SPRING_DATASOURCE_URL"),
          environment.get("SPRING_DATASOURCE_USERNAME"),
          environment.get("SPRING_DATASOURCE_PASSWORD"));
    } catch (java.sql.SQLException error) {
      throw new IllegalStateException("The H2 file cannot be copied: " + error.getMessage(), error);
    }
  }
}
