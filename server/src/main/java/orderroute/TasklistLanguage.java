package orderroute;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The Tasklist's settings: its one language, what its header says, and our script beside it.
 *
 * <p>Only one language is offered, because otherwise the browser's would win over the plant's.
 */
@RestController
class TasklistLanguage {

  private static final String CONFIG =
      """
      export default {
        app: { name: '%s', vendor: '%s' },
        locales: { availableLocales: ['%s'], fallbackLocale: '%s' },
        csrfCookieName: '%s',
        customScripts: ['scripts/order-route/plugin.js'],
        disableWelcomeMessage: true,
        shortcuts: {}
      };
      """;

  private final String mark;
  private final String language;

  TasklistLanguage(PageCookies cookies, @Value("${ORDER_ROUTE_LANGUAGE:ru}") String language) {
    this.mark = cookies.mark();
    this.language = "en".equals(language) ? "en" : "ru";
  }

  @GetMapping("/operaton/app/tasklist/scripts/config.js")
  ResponseEntity<String> config() {
    var russian = language.equals("ru");
    var name = russian ? "Задачи" : "Tasks";
    var vendor = russian ? "Маршрут заказа" : "Order Route";
    return PageScript.of(CONFIG.formatted(name, vendor, language, language, mark));
  }
}
