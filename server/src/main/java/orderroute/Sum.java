package orderroute;

import java.math.BigDecimal;
import java.util.regex.Pattern;

/** A sum is kept as roubles with a dot and two digits ("125000.00"), more than zero; what could be read two ways is refused. */
final class Sum {

  private static final Pattern PLAIN = Pattern.compile("(\\d{1,3}(?: \\d{3})+|\\d+)(?:[.,](\\d{1,2}))?");
  private static final Pattern CURRENCY = Pattern.compile("\\s*(₽|руб\\.?|р\\.)$");
  private static final int LONGEST_ROUBLES = 12;

  private Sum() {}

  static String normalise(Field field, Object value) {
    BigDecimal sum = value instanceof Number number ? number(field, number) : text(field, value);
    if (sum.signum() <= 0) {
      throw new Refusal("«" + field.label() + "»: сумма должна быть больше нуля");
    }
    if (sum.precision() - sum.scale() > LONGEST_ROUBLES) {
      throw new Refusal("«" + field.label() + "»: сумма слишком велика");
    }
    return sum.toPlainString();
  }

  private static BigDecimal number(Field field, Number number) {
    try {
      return new BigDecimal(number.toString()).setScale(2);
    } catch (ArithmeticException | NumberFormatException error) {
      throw unreadable(field, number);
    }
  }

  private static BigDecimal text(Field field, Object value) {
    if (!(value instanceof String raw)) {
      throw unreadable(field, value);
    }
    String text = raw.replace('\u00a0', ' ').replace('\u202f', ' ').replace('\u2009', ' ').strip();
    var match = PLAIN.matcher(CURRENCY.matcher(text).replaceFirst(""));
    if (!match.matches()) {
      throw unreadable(field, raw);
    }
    String kopecks = match.group(2) == null ? "0" : match.group(2);
    return new BigDecimal(match.group(1).replace(" ", "") + "." + kopecks).setScale(2);
  }

  private static Refusal unreadable(Field field, Object value) {
    return new Refusal(
        "«" + field.label() + "»: не удалось прочесть сумму «" + Shown.value(value) + "», напишите её так: 125000,00");
  }
}
