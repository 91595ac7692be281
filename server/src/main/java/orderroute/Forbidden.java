package orderroute;

import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;

/** The answer to a call that an account may not make. */
final class Forbidden {

  private Forbidden() {}

  static void answer(HttpServletResponse response, String reason) throws IOException {
    response.setStatus(HttpServletResponse.SC_FORBIDDEN);
    response.setContentType("application/json;charset=utf-8");
    response.getWriter().write("{\"type\":\"Forbidden\",\"message\":\"" + reason + "\"}");
  }
}
