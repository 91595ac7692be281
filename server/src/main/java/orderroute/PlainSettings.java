package orderroute;

import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** The settings of the pages that are the engine's own throughout: only where they find their mark. */
@RestController
class PlainSettings {

  private static final String CONFIG =
      """
      export default {
        csrfCookieName: '%s',
        disableWelcomeMessage: true
      };
      """;

  private final String mark;

  PlainSettings(PageCookies cookies) {
    this.mark = cookies.mark();
  }

  @GetMapping({"/operaton/app/admin/scripts/config.js", "/operaton/app/welcome/scripts/config.js"})
  ResponseEntity<String> config() {
    return PageScript.of(CONFIG.formatted(mark));
  }
}
