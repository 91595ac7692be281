package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.springframework.web.filter.OncePerRequestFilter;

/** The pages' cookies go out under names of this engine, and behind TLS Secure: the engine writes its mark without. */
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
            return marked(cookies.named(value), secure);
          }
        });
  }

  private static String marked(String line, boolean secure) {
    return secure && !line.matches("(?i).*;\\s*secure\\b.*") ? line + ";Secure" : line;
  }
}
