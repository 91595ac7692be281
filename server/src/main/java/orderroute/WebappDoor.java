package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.identity.Group;
import org.operaton.bpm.webapp.impl.security.auth.AuthenticationUtil;
import org.springframework.web.filter.OncePerRequestFilter;

/** Technical accounts have no business in the web applications, whose interface would let them past their allow-list. */
class WebappDoor extends OncePerRequestFilter {

  private final ProcessEngine engine;

  WebappDoor(ProcessEngine engine) {
    this.engine = engine;
  }

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    if (isTechnical(request)) {
      Forbidden.answer(response, "this account may not use the web applications");
      return;
    }
    chain.doFilter(request, response);
  }

  private boolean isTechnical(HttpServletRequest request) {
    var session = request.getSession(false);
    var logins = session == null ? null : AuthenticationUtil.getAuthsFromSession(session);
    var login = logins == null ? null : logins.getAuthenticationForProcessEngine("default");
    if (login == null) {
      return false;
    }
    // Nobody is authenticated at this point of the chain, so this look-up sees all groups.
    var groups =
        engine.getIdentityService().createGroupQuery().groupMember(login.getIdentityId()).list().stream()
            .map(Group::getId)
            .toList();
    return !Collections.disjoint(groups, AllowList.GROUPS);
  }
}
