package orderroute;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.Response;
import java.net.InetAddress;
import java.net.UnknownHostException;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.rest.exception.RestException;

/** What only the administrator may ask for, and only from the machine that the server runs on. */
final class AdminOnly {

  private AdminOnly() {}

  static void check(ProcessEngine engine) {
    var who = engine.getIdentityService().getCurrentAuthentication();
    if (who == null || who.getGroupIds() == null || !who.getGroupIds().contains(Caller.ADMINS)) {
      throw new RestException(Response.Status.FORBIDDEN, "only the administrator may make this call");
    }
  }

  static void checkNear(ProcessEngine engine, HttpServletRequest request) {
    check(engine);
    try {
      if (!InetAddress.getByName(request.getRemoteAddr()).isLoopbackAddress()) {
        throw new RestException(Response.Status.FORBIDDEN, "this call is answered only to the same machine");
      }
    } catch (UnknownHostException error) {
      throw new RestException(Response.Status.FORBIDDEN, error, "this call is answered only to the same machine");
    }
  }
}
