package orderroute;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.CacheControl;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Cockpit's settings: our pages for auditors, and the plant's time zone that they show moments in. */
@RestController
class CockpitSettings {

  private static final String CONFIG =
      """
      export default {
        customScripts: ['scripts/orders/plugin.js'],
        disableWelcomeMessage: true,
        orderRoute: { timeZone: '%s' }
      };
      """;

  private final String zone;

  CockpitSettings(@Value("${ORDER_ROUTE_TIME_ZONE:Europe/Moscow}") String zone) {
    this.zone = java.time.ZoneId.of(zone).getId();
  }

  @GetMapping("/operaton/app/cockpit/scripts/config.js")
  ResponseEntity<String> config() {
    return ResponseEntity.ok()
        .header("Content-Type", "text/javascript;charset=UTF-8")
        .cacheControl(CacheControl.noStore())
        .body(CONFIG.formatted(zone));
  }
}
