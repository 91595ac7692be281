package orderroute;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import org.operaton.bpm.engine.impl.util.ClockUtil;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;

/** The present is the engine's clock; "today" is the plant's day. */
@Component
class PlantClock {

  private final ZoneId zone;

  PlantClock(@Value("${ORDER_ROUTE_TIME_ZONE:Europe/Moscow}") String zone) {
    this.zone = ZoneId.of(zone);
  }

  Instant now() {
    return ClockUtil.getCurrentTime().toInstant();
  }

  LocalDate today() {
    return now().atZone(zone).toLocalDate();
  }

  ZoneId zone() {
    return zone;
  }
}
