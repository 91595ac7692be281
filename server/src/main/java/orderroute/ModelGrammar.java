package orderroute;

import java.util.regex.Pattern;

/** The few expressions that a diagram may hold: a variable, a comparison with a literal, our beans, and timers made of them. */
final class ModelGrammar {

  private static final String NAME = "[A-Za-z_][A-Za-z0-9_]{0,63}";
  private static final String LITERAL = "(?:'[^'\"\\\\${}#]{0,100}'|\"[^'\"\\\\${}#]{0,100}\"|-?\\d+(?:\\.\\d+)?|true|false|null)";
  private static final String COMPARISON = NAME + "\\s*(?:==|!=|<=|>=|<|>|eq|ne)\\s*" + LITERAL;
  private static final String CONDITION = COMPARISON + "(?:\\s*(?:&&|\\|\\||and|or)\\s*" + COMPARISON + ")*";
  private static final Pattern ALLOWED =
      Pattern.compile("\\$\\{\\s*(?:" + NAME + "|" + CONDITION + "|readyDate\\.move\\(execution\\))\\s*}");
  private static final Pattern TIMER = Pattern.compile("R\\d*/\\$\\{" + NAME + "}/P[0-9DTHMS]+");

  private ModelGrammar() {}

  static boolean holdsExpression(String text) {
    return text.contains("${") || text.contains("#{");
  }

  static boolean allows(String text) {
    String trimmed = text.strip();
    return !holdsExpression(trimmed) || ALLOWED.matcher(trimmed).matches() || TIMER.matcher(trimmed).matches();
  }
}
