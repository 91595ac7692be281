package orderroute;

/** The technical group of the account whose password came with the present request, kept behind X-On-Behalf-Of. */
final class TechnicalCaller {

  private static final ThreadLocal<String> GROUP = new ThreadLocal<>();

  private TechnicalCaller() {}

  static String current() {
    return GROUP.get();
  }

  static void set(String group) {
    GROUP.set(group);
  }

  static void clear() {
    GROUP.remove();
  }
}
