package orderroute;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;

/** What the bodies of the integration account's calls may hold: own variables of a message to one order, candidates of a task. */
final class IntegrationBodies {

  private static final Map<String, Set<String>> MESSAGES =
      Map.of(
          "OrderCancelled", Set.of("cancelReason", "cancelledBy", "heldBy", "refundDue"),
          "ReadyDateMoved", Set.of("readyBy", "moveReason", "movedBy"),
          "OrderCorrected",
              Set.of(
                  "customerName", "customerContact", "itemDescription", "wishedBy", "budget", "correctReason",
                  "correctedBy"));

  private static final Set<String> MESSAGE_PARTS =
      Set.of("messageName", "processInstanceId", "processVariables");

  private IntegrationBodies() {}

  static boolean concerns(String method, String path) {
    return method.equals("POST") && (path.equals("/message") || path.contains("/identity-links"));
  }

  static boolean allows(String path, JsonNode body) {
    return body.isObject() && (path.equals("/message") ? message(body) : candidate(body));
  }

  private static boolean message(JsonNode body) {
    var variables = MESSAGES.get(body.path("messageName").asText());
    if (variables == null || !body.path("processInstanceId").isTextual()) {
      return false;
    }
    JsonNode sent = body.path("processVariables");
    return within(body, MESSAGE_PARTS) && (isNothing(sent) || sent.isObject() && within(sent, variables));
  }

  private static boolean candidate(JsonNode body) {
    return within(body, Set.of("userId", "type"))
        && body.path("userId").isTextual()
        && "candidate".equals(body.path("type").asText());
  }

  /** Whether the object says nothing under other names; clients send switches that are off along. */
  private static boolean within(JsonNode object, Set<String> names) {
    return object.properties().stream().allMatch(part -> names.contains(part.getKey()) || isNothing(part.getValue()));
  }

  private static boolean isNothing(JsonNode value) {
    boolean off = value.isBoolean() && !value.booleanValue();
    return value.isMissingNode() || value.isNull() || off || value.isContainerNode() && value.isEmpty();
  }
}
