package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Pattern;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * A page's scripts carry the word that its own Content-Security-Policy names.
 *
 * <p>The engine keeps one word for all who ask at a time: when two requests meet, the page of one has the word of the
 * other, its browser refuses every script, and the person looks at an empty page.
 */
class PageNonce extends OncePerRequestFilter {

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final Pattern IN_HEADER = Pattern.compile("'nonce-[A-Za-z0-9_-]*'");
  private static final Pattern IN_PAGE = Pattern.compile("nonce=\"[A-Za-z0-9_-]*\"");

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    var page = new WrittenPage(response, nonce());
    chain.doFilter(request, page);
    page.send();
  }

  private static String nonce() {
    var bytes = new byte[20];
    RANDOM.nextBytes(bytes);
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  /** Holds the text of a page back until the word is in it; whatever is no text goes out as it comes. */
  private static final class WrittenPage extends ChangedHeaders {

    private final String nonce;
    private final StringWriter text = new StringWriter();
    private PrintWriter writer;

    WrittenPage(HttpServletResponse response, String nonce) {
      super(response, "Content-Security-Policy");
      this.nonce = nonce;
    }

    @Override
    String changed(String value) {
      return IN_HEADER.matcher(value).replaceAll("'nonce-" + nonce + "'");
    }

    @Override
    public PrintWriter getWriter() {
      if (writer == null) {
        writer = new PrintWriter(text);
      }
      return writer;
    }

    void send() throws IOException {
      if (writer == null) {
        return;
      }
      writer.flush();
      String page = IN_PAGE.matcher(text.toString()).replaceAll("nonce=\"" + nonce + "\"");
      byte[] bytes = page.getBytes(StandardCharsets.UTF_8);
      setCharacterEncoding(StandardCharsets.UTF_8.name());
      setContentLength(bytes.length);
      getOutputStream().write(bytes);
    }
  }
}
