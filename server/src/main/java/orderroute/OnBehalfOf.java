package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Collections;
import java.util.List;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.identity.Group;
import org.springframework.web.filter.OncePerRequestFilter;

/** The integration account may act as a person, with that person's rights and name; never as an admin or a technical account. */
class OnBehalfOf extends OncePerRequestFilter {

  static final String HEADER = "X-On-Behalf-Of";

  private final ProcessEngine engine;

  OnBehalfOf(ProcessEngine engine) {
    this.engine = engine;
  }

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String person = request.getHeader(HEADER);
    if (person == null) {
      chain.doFilter(request, response);
      return;
    }
    if (!AllowList.INTEGRATION.equals(TechnicalCaller.current())) {
      Forbidden.answer(response, "only the integration account may act for a person");
      return;
    }
    var identity = engine.getIdentityService();
    // The look-up must not run with the caller's rights.
    identity.clearAuthentication();
    List<String> groups = groups(person);
    boolean exists = identity.createUserQuery().userId(person).count() == 1;
    if (!exists || groups.contains(Caller.ADMINS) || !Collections.disjoint(groups, AllowList.GROUPS)) {
      Forbidden.answer(response, "no such person");
      return;
    }
    identity.setAuthentication(person, groups, List.of());
    try {
      chain.doFilter(request, response);
    } finally {
      identity.clearAuthentication();
    }
  }

  @Override
  protected boolean shouldNotFilterAsyncDispatch() {
    return true;
  }

  private List<String> groups(String person) {
    return engine.getIdentityService().createGroupQuery().groupMember(person).list().stream()
        .map(Group::getId)
        .toList();
  }
}
