package orderroute;

import java.util.regex.Pattern;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.web.embedded.tomcat.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.stereotype.Component;

/**
 * The names of the pages' cookies. A browser keeps cookies by host and not by port: two engines on one host would end
 * each other's sessions if their cookies had one name.
 *
 * <p>The session's name is set at the container's context. In the container's session settings the engine would read it
 * as the name of its own mark, too.
 */
@Component
class PageCookies implements WebServerFactoryCustomizer<TomcatServletWebServerFactory> {

  private static final String ENGINES_MARK = "XSRF-TOKEN";
  private static final Pattern SUFFIX = Pattern.compile("[A-Za-z0-9_-]{1,40}");

  private final String suffix;

  PageCookies(@Value("${ORDER_ROUTE_COOKIE_SUFFIX:${server.port}}") String suffix) {
    if (!SUFFIX.matcher(suffix).matches()) {
      throw new IllegalStateException("ORDER_ROUTE_COOKIE_SUFFIX: letters, digits, _ and - only, at most 40: " + suffix);
    }
    this.suffix = suffix;
  }

  @Override
  public void customize(TomcatServletWebServerFactory server) {
    server.addContextCustomizers(context -> context.setSessionCookieName("JSESSIONID_" + suffix));
  }

  /** The cookie that a page reads its mark against forged posts from. */
  String mark() {
    return ENGINES_MARK + "_" + suffix;
  }

  /** Whether a cookie's line carries the mark under the name that every engine gives it. */
  boolean isMark(String line) {
    return line != null && line.startsWith(ENGINES_MARK + "=");
  }

  /** The mark's line under this engine's own name. */
  String named(String line) {
    return mark() + line.substring(ENGINES_MARK.length());
  }
}
