package orderroute;

import java.lang.reflect.Field;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Reads and replaces the fields of the engine's commands, which offer no getters. */
final class CommandFields {

  private static final Map<String, Optional<Field>> KNOWN = new ConcurrentHashMap<>();

  private CommandFields() {}

  /** The value of the field, or null where the command has no such field. */
  static Object get(Object command, String name) {
    try {
      Optional<Field> field = find(command.getClass(), name);
      return field.isPresent() ? field.get().get(command) : null;
    } catch (IllegalAccessException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  static void set(Object command, String name, Object value) {
    try {
      find(command.getClass(), name).orElseThrow().set(command, value);
    } catch (IllegalAccessException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> map(Object command, String name) {
    return (Map<String, Object>) get(command, name);
  }

  private static Optional<Field> find(Class<?> type, String name) {
    return KNOWN.computeIfAbsent(type.getName() + "#" + name, key -> search(type, name));
  }

  private static Optional<Field> search(Class<?> type, String name) {
    for (Class<?> at = type; at != null && at != Object.class; at = at.getSuperclass()) {
      for (Field field : at.getDeclaredFields()) {
        if (field.getName().equals(name)) {
          field.setAccessible(true);
          return Optional.of(field);
        }
      }
    }
    return Optional.empty();
  }
}
