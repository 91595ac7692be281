package orderroute;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** Which calls of the REST interface each technical account may make; all else is refused. */
final class AllowList {

  static final String WORKERS = "workers";
  static final String INTEGRATION = Caller.INTEGRATION;
  static final String DEPLOYERS = "deployers";
  static final Set<String> GROUPS = Set.of(WORKERS, INTEGRATION, DEPLOYERS);

  private static final String ID = "[^/]+";
  private static final String HISTORY =
      "activity-instance|detail|external-task-log|identity-link-log|incident|job-log|process-instance|task"
          + "|user-operation|variable-instance";

  private static final Map<String, List<Pattern>> PLAIN =
      Map.of(
          WORKERS,
          List.of(Pattern.compile("[A-Z]+ /external-task(/.*)?")),
          INTEGRATION,
          List.of(
              Pattern.compile("GET /.*"),
              Pattern.compile("POST /(task|process-instance|variable-instance|external-task|incident)(/count)?"),
              Pattern.compile("POST /history/(" + HISTORY + ")(/count)?"),
              Pattern.compile("POST /message"),
              Pattern.compile("POST /process-definition/key/adjust-bonus/start"),
              Pattern.compile("POST /task/" + ID + "/identity-links(/delete)?"),
              Pattern.compile(
                  "PUT /process-instance/" + ID
                      + "/variables/(discussion|portalPending|cardStage|lateFlags|lateReminder|trackToken|(due|standIn|paper)_[A-Za-z0-9_]+)"),
              Pattern.compile("PUT /order/task/" + ID + "/due"),
              Pattern.compile("POST /order/steps")),
          DEPLOYERS,
          List.of(
              // What a comparison and a migration read; the orders' content is not among it.
              Pattern.compile("GET /(version|process-instance(/count)?|(deployment|process-definition)(/.*)?)"),
              Pattern.compile("GET /process-instance/" + ID + "/activity-instances"),
              Pattern.compile("POST /deployment/create"),
              Pattern.compile("POST /migration/(generate|validate|execute|executeAsync)"),
              Pattern.compile("PUT /process-definition/(key/)?" + ID + "/history-time-to-live")));

  /** Reads of orders: the integration account sees all of them, so the engine need not ask row by row. */
  private static final Pattern ORDER_READ =
      Pattern.compile(
          "(GET|POST) /(history/(" + HISTORY + ")|task|process-instance|variable-instance|external-task|incident)(/count)?"
              + "|GET /(history/(" + HISTORY + ")|task|process-instance|external-task|process-definition)/.*");

  private static final List<Pattern> FOR_A_PERSON =
      List.of(
          Pattern.compile("GET /(task|process-definition)(/.*)?"),
          Pattern.compile("POST /task(/count)?"),
          Pattern.compile("POST /process-definition/(key/)?" + ID + "/(start|submit-form)"),
          Pattern.compile("POST /task/" + ID + "/(claim|unclaim|complete|submit-form|comment/create)"));

  private AllowList() {}

  static boolean allows(String group, String method, String path) {
    return matches(PLAIN.get(group), method, path);
  }

  static boolean isOrderRead(String method, String path) {
    return ORDER_READ.matcher(method + " " + path).matches();
  }

  static boolean allowsForAPerson(String method, String path) {
    return matches(FOR_A_PERSON, method, path);
  }

  private static boolean matches(List<Pattern> patterns, String method, String path) {
    String call = method + " " + path;
    return patterns.stream().anyMatch(pattern -> pattern.matcher(call).matches());
  }
}
