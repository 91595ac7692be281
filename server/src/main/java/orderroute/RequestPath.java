package orderroute;

import jakarta.servlet.http.HttpServletRequest;

/** The path below /engine-rest as the REST interface will read it, or null where the spelling tries to hide it. */
final class RequestPath {

  static final String REST = "/engine-rest";

  private RequestPath() {}

  static String of(HttpServletRequest request) {
    String raw = request.getRequestURI();
    String path = request.getServletPath() + (request.getPathInfo() == null ? "" : request.getPathInfo());
    boolean plain =
        path.startsWith(REST)
            && !raw.contains(";")
            && !raw.contains("//")
            && !raw.contains("/.")
            && !raw.matches("(?i).*%(2e|2f|5c|3b|25).*")
            && !path.contains("//");
    return plain ? path.substring(REST.length()) : null;
  }
}
