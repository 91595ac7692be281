package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.impl.identity.Authentication;
import org.springframework.web.filter.OncePerRequestFilter;

/** A technical account calls only what its list allows, however large the rights of its group are in the engine. */
class TechnicalAccounts extends OncePerRequestFilter {

  private final ProcessEngine engine;

  TechnicalAccounts(ProcessEngine engine) {
    this.engine = engine;
  }

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String group = group(engine.getIdentityService().getCurrentAuthentication());
    if (group == null) {
      chain.doFilter(request, response);
      return;
    }
    HttpServletRequest allowed = allowed(group, request);
    if (allowed == null) {
      Forbidden.answer(response, "this account may not make this call");
      return;
    }
    TechnicalCaller.set(group);
    if (readsOrders(group, request)) {
      // What this account may read was decided above. The engine would compare each row with each authorization, and
      // every task ever made leaves one: a read of one order took half a second after a dozen orders.
      engine.getIdentityService().clearAuthentication();
    }
    try {
      chain.doFilter(allowed, response);
    } finally {
      TechnicalCaller.clear();
    }
  }

  @Override
  protected boolean shouldNotFilterAsyncDispatch() {
    return true;
  }

  private static boolean readsOrders(String group, HttpServletRequest request) {
    return group.equals(AllowList.INTEGRATION)
        && request.getHeader(OnBehalfOf.HEADER) == null
        && AllowList.isOrderRead(request.getMethod(), RequestPath.of(request));
  }

  /** The technical group of an account, or null for people and admins. */
  static String group(Authentication authentication) {
    if (authentication == null || authentication.getGroupIds() == null) {
      return null;
    }
    return AllowList.GROUPS.stream().filter(authentication.getGroupIds()::contains).findFirst().orElse(null);
  }

  private static HttpServletRequest allowed(String group, HttpServletRequest request) throws IOException {
    String path = RequestPath.of(request);
    String method = request.getMethod();
    if (path == null) {
      return null;
    }
    if (group.equals(AllowList.INTEGRATION) && request.getHeader(OnBehalfOf.HEADER) != null) {
      return AllowList.allowsForAPerson(method, path) ? request : null;
    }
    if (!AllowList.allows(group, method, path)) {
      return null;
    }
    if (!group.equals(AllowList.INTEGRATION) || !IntegrationBodies.concerns(method, path)) {
      return request;
    }
    PeekedBody body = PeekedBody.of(request);
    return body != null && IntegrationBodies.allows(path, body.json()) ? body : null;
  }
}
