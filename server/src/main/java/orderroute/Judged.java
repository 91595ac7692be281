package orderroute;

import java.util.ArrayDeque;
import java.util.Deque;

/** What the gate let pass in the present command: a listener that finds nothing here was reached by a way around the gate. */
final class Judged {

  private static final ThreadLocal<Deque<Judged>> OPEN = ThreadLocal.withInitial(ArrayDeque::new);

  private final String taskId;
  private final String definitionId;
  private final String number;

  private Judged(String taskId, String definitionId, String number) {
    this.taskId = taskId;
    this.definitionId = definitionId;
    this.number = number;
  }

  static Judged task(String taskId) {
    return new Judged(taskId, null, null);
  }

  /** A start that passed; the number is null where the caller brought a key or none is given. */
  static Judged start(String definitionId, String number) {
    return new Judged(null, definitionId, number);
  }

  static Judged current() {
    return OPEN.get().peek();
  }

  static void open(Judged judged) {
    OPEN.get().push(judged);
  }

  static void close() {
    OPEN.get().pop();
    if (OPEN.get().isEmpty()) {
      OPEN.remove();
    }
  }

  boolean isTask(String id) {
    return id.equals(taskId);
  }

  boolean isStart(String id) {
    return id.equals(definitionId);
  }

  String number() {
    return number;
  }
}
