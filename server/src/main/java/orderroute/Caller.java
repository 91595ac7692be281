package orderroute;

import java.util.List;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.identity.Authentication;

/** Who runs the present command: a person or account with groups, or the engine itself (no name). */
record Caller(String id, List<String> groups) {

  static final String ADMINS = "operaton-admin";
  static final String OPERATORS = "operators";
  static final String INTEGRATION = "integration";

  /** A group's heads are the members of the group with this ending. */
  private static final String HEADS = "Heads";

  static Caller current() {
    Authentication authentication = Context.getCommandContext().getAuthentication();
    if (authentication == null || authentication.getUserId() == null) {
      return new Caller(null, List.of());
    }
    var groups = authentication.getGroupIds();
    return new Caller(authentication.getUserId(), groups == null ? List.of() : groups);
  }

  boolean isEngine() {
    return id == null;
  }

  boolean in(String group) {
    return groups.contains(group);
  }

  boolean isAdmin() {
    return in(ADMINS);
  }

  /** Admins and operators may repair orders by means that skip gates. */
  boolean mayRepair() {
    return isEngine() || isAdmin() || in(OPERATORS);
  }

  boolean heads(String group) {
    return in(group + HEADS);
  }

  /** The request came through the integration account, also when it acts on behalf of a person. */
  boolean isIntegration() {
    return in(INTEGRATION) || INTEGRATION.equals(TechnicalCaller.current());
  }
}
