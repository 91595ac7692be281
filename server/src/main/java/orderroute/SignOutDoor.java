package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpSession;
import java.io.IOException;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Signing out ends the session itself, and nothing under way begins another in its place.
 *
 * <p>The engine only takes the person out of the session. A request that another tab sent just before looks the
 * person's groups up anew, and would put the person back into the session, or into a new one.
 */
class SignOutDoor extends OncePerRequestFilter {

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    HttpSession before = request.getSession(false);
    chain.doFilter(request, response);
    String path = request.getRequestURI();
    boolean signedOut = path.endsWith("/logout") && response.getStatus() < HttpServletResponse.SC_BAD_REQUEST;
    boolean overtaken = before != null && isOver(before) && !path.contains("/login/");
    HttpSession after = request.getSession(false);
    if ((signedOut || overtaken) && after != null) {
      after.invalidate();
    }
  }

  private static boolean isOver(HttpSession session) {
    try {
      session.getCreationTime();
      return false;
    } catch (IllegalStateException invalidated) {
      return true;
    }
  }
}
