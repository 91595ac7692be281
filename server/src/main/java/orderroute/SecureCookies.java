package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;
import java.io.IOException;
import org.springframework.web.filter.OncePerRequestFilter;

/** Behind TLS every cookie of the pages is Secure; the engine writes its mark against forged posts without. */
class SecureCookies extends OncePerRequestFilter {

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    chain.doFilter(request, request.isSecure() ? new Marking(response) : response);
  }

  private static final class Marking extends HttpServletResponseWrapper {

    Marking(HttpServletResponse response) {
      super(response);
    }

    @Override
    public void addHeader(String name, String value) {
      super.addHeader(name, marked(name, value));
    }

    @Override
    public void setHeader(String name, String value) {
      super.setHeader(name, marked(name, value));
    }

    private static String marked(String name, String value) {
      boolean bare = "Set-Cookie".equalsIgnoreCase(name) && value != null && !value.matches("(?i).*;\\s*secure\\b.*");
      return bare ? value + ";Secure" : value;
    }
  }
}
