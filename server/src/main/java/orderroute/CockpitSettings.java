package orderroute;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Cockpit's settings: its one language, our pages for auditors, and the plant's time zone that they show moments in. */
@RestController
class CockpitSettings {

  private static final String CONFIG =
      """
      export default {
        app: { name: '%s', vendor: '%s' },
        locales: { availableLocales: ['%s'], fallbackLocale: '%s' },
        csrfCookieName: '%s',
        customScripts: ['scripts/orders/plugin.js'],
        disableWelcomeMessage: true,
        orderRoute: { timeZone: '%s' }
      };
      """;

  private final String mark;
  private final String zone;
  private final String language;

  CockpitSettings(
      PageCookies cookies,
      @Value("${ORDER_ROUTE_TIME_ZONE:Europe/Moscow}") String zone,
      @Value("${ORDER_ROUTE_LANGUAGE:ru}") String language) {
    this.mark = cookies.mark();
    this.language = "en".equals(language) ? "en" : "ru";
    this.zone = java.time.ZoneId.of(zone).getId();
  }

  @GetMapping("/operaton/app/cockpit/scripts/config.js")
  ResponseEntity<String> config() {
    var russian = language.equals("ru");
    var name = russian ? "Аудит" : "Cockpit";
    var vendor = russian ? "Маршрут заказа" : "Order Route";
    return PageScript.of(CONFIG.formatted(name, vendor, language, language, mark, zone));
  }
}
