package orderroute;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a stage or a start may write and what it demands: read from the properties of its element, in their order. */
record Form(Map<String, Field> fields, List<Demand> demands, List<String> commentOn) {

  static final String FIELD = "field.";

  static Form parse(Map<String, String> properties) {
    var fields = new LinkedHashMap<String, Field>();
    properties.forEach(
        (key, value) -> {
          if (key.startsWith(FIELD) && !value.isBlank()) {
            String name = key.substring(FIELD.length());
            fields.put(name, Field.parse(name, value));
          }
        });
    var form =
        new Form(fields, Demand.parseAll(properties.get("required")), Texts.list(properties.get("commentOn")));
    form.checkNames();
    return form;
  }

  Optional<Field> decision() {
    return fields.values().stream().filter(field -> field.kind() == FieldKind.CHOICE).findFirst();
  }

  Optional<Field> comment() {
    return fields.values().stream().filter(field -> field.kind() == FieldKind.TEXT).findFirst();
  }

  /** The field that may write this variable, or null: then the variable is foreign here. */
  Field owner(String variable) {
    for (Field field : fields.values()) {
      if (field.variables().contains(variable)) {
        return field;
      }
    }
    return null;
  }

  private void checkNames() {
    var decisions = decision().map(field -> field.choices().keySet()).orElse(java.util.Set.of());
    var wrong = new ArrayList<String>();
    for (Demand demand : demands) {
      if (!fields.containsKey(demand.field())) {
        wrong.add("required называет поле «" + demand.field() + "», которого здесь нет");
      }
      if (demand.decision() != null && !decisions.contains(demand.decision())) {
        wrong.add("required называет решение «" + demand.decision() + "», которого здесь нет");
      }
    }
    for (String decision : commentOn) {
      if (!decisions.contains(decision)) {
        wrong.add("commentOn называет решение «" + decision + "», которого здесь нет");
      }
    }
    if (!commentOn.isEmpty() && comment().isEmpty()) {
      wrong.add("commentOn требует текстового поля, а его здесь нет");
    }
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException(String.join("; ", wrong));
    }
  }
}
