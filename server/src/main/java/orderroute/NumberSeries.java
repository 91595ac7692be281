package orderroute;

/** The books that numbers are taken from, each with a row per year of its own. */
enum NumberSeries {
  ORDER("ORD", "ORDER_ROUTE_NUMBER"),
  COMPLAINT("RCL", "ORDER_ROUTE_COMPLAINT_NUMBER");

  static final String COMPLAINT_PROCESS = "record-complaint";

  private final String prefix;
  private final String table;

  NumberSeries(String prefix, String table) {
    this.prefix = prefix;
    this.table = table;
  }

  String table() {
    return table;
  }

  String number(int year, int count) {
    return "%s-%d-%05d".formatted(prefix, year, count);
  }

  boolean holds(String number) {
    return number.startsWith(prefix + "-");
  }
}
