package orderroute;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.operaton.bpm.engine.variable.Variables;
import org.operaton.bpm.engine.variable.value.FileValue;
import org.springframework.stereotype.Component;

/** Judges one answer against its form: only its own fields, each of its kind, and every demand met by this answer alone. */
@Component
class AnswerJudge {

  private static final long MOST_BYTES = 60L << 20;

  private final Dates dates;

  AnswerJudge(Dates dates) {
    this.dates = dates;
  }

  /**
   * Returns the values to write.
   *
   * @param earlier reads a value that the order already holds, for demands that compare with it
   */
  Map<String, Object> judge(Form form, Answer answer, Function<String, Object> earlier) {
    for (String name : answer.values().keySet()) {
      if (form.owner(name) == null) {
        throw new Refusal("Поле «" + Shown.value(name) + "» на этом шаге менять нельзя");
      }
    }
    String decision = decision(form, answer);
    dropWhatAnotherDecisionAsks(form, answer, decision);
    var values = new LinkedHashMap<String, Object>();
    answer.values().forEach((name, value) -> values.put(name, value(form.owner(name), name, value)));
    checkSize(values);
    checkDemands(form, values, decision, earlier);
    values.replaceAll((name, value) -> value instanceof String text ? Variables.stringValue(text) : value);
    values.replaceAll((name, value) -> value == null ? Variables.untypedNullValue() : value);
    return values;
  }

  private static String decision(Form form, Answer answer) {
    return form.decision()
        .filter(field -> answer.value(field.name()) != null)
        .map(field -> Choice.normalise(field, answer.value(field.name())))
        .orElse(null);
  }

  /** A form may still carry a date that only "approve" asks for when the person chose to return. */
  private static void dropWhatAnotherDecisionAsks(Form form, Answer answer, String decision) {
    for (Field field : form.fields().values()) {
      var demands = form.demands().stream().filter(demand -> demand.field().equals(field.name())).toList();
      boolean foreign =
          !demands.isEmpty()
              && demands.stream().allMatch(demand -> demand.decision() != null && !demand.decision().equals(decision));
      if (foreign && decision != null && !isReason(form, field, decision)) {
        field.variables().forEach(answer::drop);
      }
    }
  }

  private static boolean isReason(Form form, Field field, String decision) {
    return form.commentOn().contains(decision) && form.comment().filter(field::equals).isPresent();
  }

  private Object value(Field field, String name, Object value) {
    if (value == null) {
      return null;
    }
    if (field.kind().holdsFiles() != value instanceof FileValue) {
      throw new Refusal(
          field.kind().holdsFiles()
              ? "«" + field.label() + "»: нужен файл, а пришёл текст"
              : "«" + field.label() + "»: нужен текст, а пришёл файл");
    }
    return switch (field.kind()) {
      case LINE, TEXT -> Line.normalise(field, value);
      case CHOICE -> Choice.normalise(field, value);
      case SUM -> Sum.normalise(field, value);
      case DATE -> dates.date(field, value);
      case MOMENT -> dates.moment(field, value);
      case FILE, FILES -> Attachment.normalise(field, (FileValue) value);
    };
  }

  private static void checkSize(Map<String, Object> values) {
    long bytes = 0;
    for (Object value : values.values()) {
      bytes += value instanceof FileValue file ? Attachment.size(file) : 0;
    }
    if (bytes > MOST_BYTES) {
      throw new Refusal("Файлы вместе больше 60 МиБ: приложите меньше или сожмите их");
    }
  }

  private static void checkDemands(
      Form form, Map<String, Object> values, String decision, Function<String, Object> earlier) {
    List<String> missing = new ArrayList<>();
    for (Demand demand : form.demands()) {
      if (applies(form, demand, values, decision, earlier)) {
        report(missing, form.fields().get(demand.field()), values);
      }
    }
    if (decision != null && form.commentOn().contains(decision)) {
      Field reason = form.comment().orElseThrow();
      if (absent(reason, values)) {
        missing.add("причина в поле «" + reason.label() + "»");
      }
    }
    if (!missing.isEmpty()) {
      throw new Refusal("Не хватает: " + String.join(", ", missing.stream().distinct().toList()));
    }
  }

  private static boolean applies(
      Form form, Demand demand, Map<String, Object> values, String decision, Function<String, Object> earlier) {
    if (demand.always()) {
      return true;
    }
    if (demand.decision() != null) {
      return demand.decision().equals(decision);
    }
    Object left = side(form, demand.left(), values, earlier);
    Object right = side(form, demand.right(), values, earlier);
    return left != null && !left.equals(right);
  }

  private static Object side(Form form, String name, Map<String, Object> values, Function<String, Object> earlier) {
    return form.fields().containsKey(name) ? values.get(name) : earlier.apply(name);
  }

  private static void report(List<String> missing, Field field, Map<String, Object> values) {
    if (absent(field, values)) {
      missing.add((field.kind().holdsFiles() ? "файл «" : "«") + field.label() + "»");
    }
  }

  private static boolean absent(Field field, Map<String, Object> values) {
    return field.variables().stream().allMatch(name -> values.get(name) == null);
  }
}
