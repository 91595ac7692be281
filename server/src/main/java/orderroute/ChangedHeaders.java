package orderroute;

import jakarta.servlet.http.HttpServletResponse;
import jakarta.servlet.http.HttpServletResponseWrapper;

/** An answer one of whose headers goes out otherwise than the engine wrote it. */
abstract class ChangedHeaders extends HttpServletResponseWrapper {

  private final String header;

  ChangedHeaders(HttpServletResponse response, String header) {
    super(response);
    this.header = header;
  }

  /** What goes out instead; the value itself where nothing is to change. */
  abstract String changed(String value);

  @Override
  public void setHeader(String name, String value) {
    super.setHeader(name, outgoing(name, value));
  }

  @Override
  public void addHeader(String name, String value) {
    super.addHeader(name, outgoing(name, value));
  }

  final boolean concerns(String name) {
    return header.equalsIgnoreCase(name);
  }

  private String outgoing(String name, String value) {
    return concerns(name) && value != null ? changed(value) : value;
  }
}
