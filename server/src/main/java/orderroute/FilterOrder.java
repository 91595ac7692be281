package orderroute;

import org.springframework.core.Ordered;

/** The order in which the filters see a request: who calls, what that account may call, for whom, then the body. */
final class FilterOrder {

  static final int NONCE = -2;
  static final int COOKIES = -1;
  static final int DOWNLOAD_NAMES = 0;
  static final int AUTHENTICATION = 1;
  static final int TECHNICAL_ACCOUNTS = 2;
  static final int ON_BEHALF_OF = 3;
  static final int LARGE_BODIES = 4;
  static final int MARK = 5;
  static final int SIGN_OUT = 6;
  static final int WEBAPP = Ordered.LOWEST_PRECEDENCE;

  private FilterOrder() {}
}
