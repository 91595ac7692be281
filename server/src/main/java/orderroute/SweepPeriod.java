package orderroute;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The sweep's timer reads its period from the settings: R/PT300S. */
@Configuration
class SweepPeriod {

  @Bean("reconcileCycle")
  String reconcileCycle(@Value("${ORDER_ROUTE_RECONCILE_SECONDS:300}") int seconds) {
    if (seconds < 1) {
      throw new IllegalStateException("ORDER_ROUTE_RECONCILE_SECONDS must be at least 1");
    }
    return "R/PT" + seconds + "S";
  }
}
