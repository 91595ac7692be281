package orderroute;

import java.util.LinkedHashMap;
import java.util.Map;
import org.operaton.bpm.engine.variable.type.ValueType;
import org.operaton.bpm.engine.variable.value.FileValue;
import org.operaton.bpm.engine.variable.value.TypedValue;

/** What a person sent with one completion or start, with its plain values; blank means not sent. */
final class Answer {

  private final Map<String, Object> sent = new LinkedHashMap<>();

  static Answer of(Map<String, Object> variables) {
    var answer = new Answer();
    if (variables != null) {
      for (String name : variables.keySet()) {
        answer.sent.put(name, plain(name, typed(variables, name)));
      }
    }
    return answer;
  }

  Map<String, Object> values() {
    return sent;
  }

  /** The value that came with this answer, or null. */
  Object value(String name) {
    return sent.get(name);
  }

  void drop(String name) {
    sent.remove(name);
  }

  private static Object typed(Map<String, Object> variables, String name) {
    return variables instanceof org.operaton.bpm.engine.variable.VariableMap map
        ? map.getValueTyped(name)
        : variables.get(name);
  }

  private static Object plain(String name, Object value) {
    if (value instanceof FileValue file) {
      return file;
    }
    Object plain = value instanceof TypedValue typed ? unwrapped(name, typed) : value;
    return plain instanceof String text && text.isBlank() ? null : plain;
  }

  private static Object unwrapped(String name, TypedValue value) {
    ValueType type = value.getType();
    if (type != null && !type.isPrimitiveValueType()) {
      throw new Refusal("Поле «" + name + "»: значение такого вида не принимается");
    }
    return value.getValue();
  }
}
