package orderroute;

/** A line holds at most 255 characters, a text at most 4,000 (what one engine variable holds); neither holds NUL. */
final class Line {

  private static final int LONGEST_LINE = 255;
  private static final int LONGEST_TEXT = 4000;

  private Line() {}

  static String normalise(Field field, Object value) {
    if (!(value instanceof String text)) {
      throw new Refusal("«" + field.label() + "»: нужен текст");
    }
    if (text.indexOf('\0') >= 0) {
      throw new Refusal("«" + field.label() + "»: в тексте есть недопустимый знак, наберите его заново");
    }
    boolean line = field.kind() == FieldKind.LINE;
    String kept = line ? text.strip().replaceAll("[\\r\\n]+", " ") : text.strip();
    int longest = line ? LONGEST_LINE : LONGEST_TEXT;
    if (kept.length() > longest) {
      throw new Refusal(
          "«" + field.label() + "»: не больше " + longest + " знаков, сейчас " + kept.length());
    }
    return kept;
  }
}
