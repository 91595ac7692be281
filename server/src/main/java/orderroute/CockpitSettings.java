package orderroute;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Cockpit's settings: our pages for auditors, and the plant's time zone that they show moments in. */
@RestController
class CockpitSettings {

  private static final String CONFIG =
      """
      export default {
        csrfCookieName: '%s',
        customScripts: ['scripts/orders/plugin.js'],
        disableWelcomeMessage: true,
        orderRoute: { timeZone: '%s' }
      };
      """;

  private final String mark;
  private final String zone;

  CockpitSettings(PageCookies cookies, @Value("${ORDER_ROUTE_TIME_ZONE:Europe/Moscow}") String zone) {
    this.mark = cookies.mark();
    this.zone = java.time.ZoneId.of(zone).getId();
  }

  @GetMapping("/operaton/app/cockpit/scripts/config.js")
  ResponseEntity<String> config() {
    return PageScript.of(CONFIG.formatted(mark, zone));
  }
}
