package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * The pages' mark goes out under a name of this engine too, and every cookie behind TLS Secure: the engine writes its mark
 * without. Programs written for the plain engine find the mark under its plain name.
 */
class CookieDoor extends OncePerRequestFilter {

  private final PageCookies cookies;

  CookieDoor(PageCookies cookies) {
    this.cookies = cookies;
  }

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    boolean secure = request.isSecure();
    chain.doFilter(
        request,
        new ChangedHeaders(response, "Set-Cookie") {
          @Override
          String changed(String value) {
            return marked(value, secure);
          }

          @Override
          public void addHeader(String name, String value) {
            super.addHeader(name, value);
            addOwn(name, value);
          }

          @Override
          public void setHeader(String name, String value) {
            super.setHeader(name, value);
            addOwn(name, value);
          }

          private void addOwn(String name, String value) {
            if (concerns(name) && cookies.isMark(value)) {
              super.addHeader(name, cookies.named(value));
            }
          }
        });
  }

  private static String marked(String line, boolean secure) {
    return secure && !line.matches("(?i).*;\\s*secure\\b.*") ? line + ";Secure" : line;
  }
}
