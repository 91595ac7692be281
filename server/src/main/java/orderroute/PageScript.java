package orderroute;

import org.springframework.http.CacheControl;
import org.springframework.http.ResponseEntity;

/** A script with a page's settings. Never cached: after a change of a setting the page must follow at once. */
final class PageScript {

  private PageScript() {}

  static ResponseEntity<String> of(String text) {
    return ResponseEntity.ok()
        .header("Content-Type", "text/javascript;charset=UTF-8")
        .cacheControl(CacheControl.noStore())
        .body(text);
  }
}
