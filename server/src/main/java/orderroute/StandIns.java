package orderroute;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import org.operaton.bpm.engine.delegate.DelegateTask;

/** For whom a stage is done: for its holder, else for the absent member whom the person stands in for. */
final class StandIns {

  private static final ObjectMapper JSON = new ObjectMapper();

  private StandIns() {}

  /** The id of the other person, or null where the person acts for nobody else. */
  static String of(DelegateTask task, String person) {
    String holder = task.getAssignee();
    if (person != null && holder != null && !holder.equals(person)) {
      return holder;
    }
    return person != null && task.getVariable("standIn_" + task.getTaskDefinitionKey()) instanceof String text
        ? absent(text, task.getId(), person)
        : null;
  }

  private static String absent(String text, String task, String person) {
    try {
      JsonNode noted = JSON.readTree(text);
      // A note of an earlier visit of the same stage says nothing about this one.
      boolean ofThisVisit = noted.path("task").asText().equals(task);
      return ofThisVisit ? noted.path("for").path(person).asText(null) : null;
    } catch (JsonProcessingException notOurs) {
      return null;
    }
  }
}
