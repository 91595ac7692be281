package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.springframework.http.ContentDisposition;
import org.springframework.web.filter.OncePerRequestFilter;

/** A file is downloaded under its own name: filename* in UTF-8, and a plain fallback that no header can break. */
class DownloadNames extends OncePerRequestFilter {

  private static final Pattern ENGINE = Pattern.compile("(?s)attachment; filename=\".*\"; filename\\*=UTF-8''(\\S*)");

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    chain.doFilter(
        request,
        new ChangedHeaders(response, "Content-Disposition") {
          @Override
          String changed(String value) {
            return renamed(value);
          }
        });
  }

  @Override
  protected boolean shouldNotFilterAsyncDispatch() {
    return true;
  }

  private static String renamed(String value) {
    Matcher match = ENGINE.matcher(value);
    if (!match.matches()) {
      return value;
    }
    String file = URLDecoder.decode(match.group(1), StandardCharsets.UTF_8);
    String plain = file.replaceAll("[^A-Za-z0-9. _()-]", "_");
    String full = ContentDisposition.attachment().filename(file, StandardCharsets.UTF_8).build().toString();
    return "attachment; filename=\"" + plain + "\"; " + full.substring(full.indexOf("filename*="));
  }
}
