package orderroute;

import java.util.List;

/** One entry of "required": always, only with a decision (field@value), or only when two values differ (field@a!=b). */
record Demand(String field, String decision, String left, String right) {

  static Demand parse(String entry) {
    String[] parts = entry.split("@", 2);
    String field = parts[0].strip();
    if (parts.length == 1) {
      return new Demand(field, null, null, null);
    }
    String[] sides = parts[1].split("!=", 2);
    if (sides.length == 2) {
      return new Demand(field, null, sides[0].strip(), sides[1].strip());
    }
    return new Demand(field, parts[1].strip(), null, null);
  }

  static List<Demand> parseAll(String property) {
    return Texts.list(property).stream().map(Demand::parse).toList();
  }

  boolean always() {
    return decision == null && left == null;
  }
}
