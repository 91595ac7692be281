package orderroute;

/** A value as a sentence may quote it: short and on one line. */
final class Shown {

  private static final int LONGEST = 60;

  private Shown() {}

  static String value(Object value) {
    String text = String.valueOf(value).replaceAll("[\\p{Cntrl}\\p{Cf}]+", " ").strip();
    return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "…";
  }
}
