package orderroute;

import java.util.regex.Pattern;

/**
 * Keys of cards (n-n) and numbers (ORD-…) are given by programs; people may bring any other short key or none. Programs also
 * bring numbers of other books («2026/К-17»), which they have checked.
 */
final class OrderKeys {

  private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9._-]{1,64}");
  private static final Pattern FOREIGN =
      Pattern.compile("[\\p{L}\\p{N}][\\p{L}\\p{N} ./№#()+_-]{0,63}", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern CARD = Pattern.compile("\\d+-\\d+");
  private static final Pattern NUMBER = Pattern.compile("ORD-.*", Pattern.CASE_INSENSITIVE);

  private OrderKeys() {}

  static void check(String key, Caller caller) {
    if (key == null) {
      return;
    }
    boolean program = caller.isIntegration() || caller.isEngine();
    if (!ALLOWED.matcher(key).matches() && !(program && FOREIGN.matcher(key).matches())) {
      throw new Refusal("Номер заказа: до 64 латинских букв, цифр, точек, дефисов и подчёркиваний");
    }
    boolean given = CARD.matcher(key).matches() || NUMBER.matcher(key).matches();
    if (given && !program) {
      throw new Refusal("Номер «" + key + "» такого вида присваивает программа: оставьте его пустым");
    }
  }
}
