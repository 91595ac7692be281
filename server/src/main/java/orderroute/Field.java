package orderroute;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** One field of a form, as the diagram describes it: "type; label; options". */
record Field(String name, FieldKind kind, String label, Map<String, String> choices, Set<String> options) {

  private static final int MOST_FILES = 20;
  private static final Pattern NAME = Pattern.compile("[A-Za-z][A-Za-z0-9_]{0,63}");

  static Field parse(String name, String property) {
    if (!NAME.matcher(name).matches()) {
      throw new IllegalArgumentException("имя поля «" + name + "» должно состоять из латинских букв и цифр");
    }
    String[] parts = property.split(";", 3);
    FieldKind kind = FieldKind.of(parts[0].strip());
    String label = parts.length > 1 && !parts[1].isBlank() ? parts[1].strip() : name;
    String rest = parts.length > 2 ? parts[2].strip() : "";
    if (kind == FieldKind.CHOICE) {
      return new Field(name, kind, label, choices(name, rest), Set.of());
    }
    return new Field(name, kind, label, Map.of(), options(name, rest));
  }

  /** The variables that this field may write. */
  List<String> variables() {
    if (kind != FieldKind.FILES) {
      return List.of(name);
    }
    var names = new java.util.ArrayList<String>(List.of(name));
    for (int number = 2; number <= MOST_FILES; number++) {
      names.add(name + "_" + number);
    }
    return names;
  }

  private static Map<String, String> choices(String name, String text) {
    var choices = new LinkedHashMap<String, String>();
    for (String entry : Texts.list(text)) {
      String[] pair = entry.split("=", 2);
      choices.put(pair[0].strip(), pair.length > 1 ? pair[1].strip() : pair[0].strip());
    }
    if (choices.isEmpty()) {
      throw new IllegalArgumentException("у поля «" + name + "» не названы варианты");
    }
    return choices;
  }

  private static Set<String> options(String name, String text) {
    for (String option : Texts.list(text)) {
      if (!option.equals("future") && !option.equals("past")) {
        throw new IllegalArgumentException("у поля «" + name + "» неизвестное условие «" + option + "»");
      }
    }
    return Set.copyOf(Texts.list(text));
  }
}
