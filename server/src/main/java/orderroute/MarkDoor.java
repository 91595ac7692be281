package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.util.Set;
import org.springframework.web.filter.OncePerRequestFilter;

/** A page's change without its mark is refused by the engine in any case; here it says which header did not arrive. */
class MarkDoor extends OncePerRequestFilter {

  private static final String HEADER = "X-XSRF-TOKEN";
  private static final Set<String> READS = Set.of("GET", "HEAD", "OPTIONS");
  private static final String REASON =
      "Запрос не принят: до движка не дошёл заголовок "
          + HEADER
          + ". Его убирает прокси или защита на пути: администратор должен его пропускать";

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    String mark = request.getHeader(HEADER);
    if (!READS.contains(request.getMethod()) && (mark == null || mark.isBlank())) {
      Forbidden.answer(response, REASON);
      return;
    }
    chain.doFilter(request, response);
  }
}
