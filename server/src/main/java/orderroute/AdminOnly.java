package orderroute;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.core.Response;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Collections;
import java.util.List;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.rest.exception.RestException;

/** What only the administrator may ask for, some of it only on the server's own machine, or who keeps the server running. */
final class AdminOnly {

  private AdminOnly() {}

  static void check(ProcessEngine engine) {
    var who = engine.getIdentityService().getCurrentAuthentication();
    if (who == null || who.getGroupIds() == null || !who.getGroupIds().contains(Caller.ADMINS)) {
      throw new RestException(Response.Status.FORBIDDEN, "only the administrator may make this call");
    }
  }

  /** What the integration account, operators and the administrator may ask: about the server, never about orders. */
  static void checkKeeper(ProcessEngine engine) {
    var who = engine.getIdentityService().getCurrentAuthentication();
    var keepers = List.of(Caller.ADMINS, Caller.OPERATORS, Caller.INTEGRATION);
    if (who == null || who.getGroupIds() == null || Collections.disjoint(who.getGroupIds(), keepers)) {
      throw new RestException(Response.Status.FORBIDDEN, "only operators and the administrator may make this call");
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
