package orderroute;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.http.CacheControl;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * The Tasklist's settings: its one language, what its header says, and our script beside it.
 *
 * <p>Only one language is offered, because otherwise the browser's would win over the plant's. Never cached: after a
 * change of the setting the page must follow at once.
 */
@RestController
class TasklistLanguage {

  private static final String CONFIG =
      """
      export default {
        app: { name: '%s', vendor: '%s' },
        locales: { availableLocales: ['%s'], fallbackLocale: '%s' },
        customScripts: ['scripts/order-route/plugin.js'],
        disableWelcomeMessage: true,
        shortcuts: {}
      };
      """;

  private final String language;

  TasklistLanguage(@Value("${ORDER_ROUTE_LANGUAGE:ru}") String language) {
    this.language = "en".equals(language) ? "en" : "ru";
  }

  @GetMapping("/operaton/app/tasklist/scripts/config.js")
  ResponseEntity<String> config() {
    var russian = language.equals("ru");
    var text =
        CONFIG.formatted(russian ? "Задачи" : "Tasks", russian ? "Маршрут заказа" : "Order Route", language, language);
    return ResponseEntity.ok()
        .header("Content-Type", "text/javascript;charset=UTF-8")
        .cacheControl(CacheControl.noStore())
        .body(text);
  }
}
