package orderroute;

/** The order in which the filters see a request: who calls, what that account may call, for whom, then the rest. */
final class FilterOrder {

  static final int REFUSALS = 0;
  static final int LARGE_BODIES = 1;
  static final int AUTHENTICATION = 2;
  static final int TECHNICAL_ACCOUNTS = 3;
  static final int ON_BEHALF_OF = 4;
  static final int ASSIGNMENT = 5;

  private FilterOrder() {}
}
