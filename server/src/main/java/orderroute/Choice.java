package orderroute;

/** A decision is exactly one of the values of the diagram; Cyrillic letters that look like Latin ones are not the same. */
final class Choice {

  private static final String CYRILLIC = "аАвВеЕкКмМнНоОрРсСтТуУхХіІјЈѕЅ";
  private static final String LATIN = "aABBeEkKMMHHoOpPcCTTyYxXiIjJsS";

  private Choice() {}

  static String normalise(Field field, Object value) {
    if (value instanceof String text) {
      if (field.choices().containsKey(text)) {
        return text;
      }
      String latin = latin(text);
      if (!latin.equals(text) && field.choices().keySet().stream().anyMatch(latin::equalsIgnoreCase)) {
        throw new Refusal(
            "«" + field.label() + "»: в значении «" + Shown.value(text) + "» есть русские буквы, похожие на латинские");
      }
    }
    throw new Refusal(
        "«"
            + field.label()
            + "»: нет варианта «"
            + Shown.value(value)
            + "», можно: "
            + String.join(", ", field.choices().values()));
  }

  private static String latin(String text) {
    var out = new StringBuilder();
    for (char letter : text.toCharArray()) {
      int at = CYRILLIC.indexOf(letter);
      out.append(at < 0 ? letter : LATIN.charAt(at));
    }
    return out.toString();
  }
}
