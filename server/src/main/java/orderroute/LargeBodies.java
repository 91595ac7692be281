package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Three large bodies are worked on at a time, the others wait: each costs several times its size in memory.
 *
 * <p>A body is received into a temporary file first, so that a slow line holds up nobody.
 */
class LargeBodies extends OncePerRequestFilter {

  private static final int AT_A_TIME = 3;
  private static final long LARGE = 1L << 20;

  /** 60 MiB of files as base64, and what is around them. */
  private static final long MOST_BYTES = 84L << 20;

  private final Semaphore places = new Semaphore(AT_A_TIME, true);

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    long length = request.getContentLengthLong();
    boolean chunked = request.getHeader("Transfer-Encoding") != null;
    if (length <= LARGE && !chunked) {
      chain.doFilter(request, response);
      return;
    }
    if (length > MOST_BYTES) {
      refuse(response);
      return;
    }
    Path file = Files.createTempFile("order-route-", ".body");
    try {
      if (receive(request, file)) {
        inTurn(new FileBody(request, file), response, chain);
      } else {
        refuse(response);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  @Override
  protected boolean shouldNotFilterAsyncDispatch() {
    return true;
  }

  private void inTurn(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    places.acquireUninterruptibly();
    try {
      chain.doFilter(request, response);
    } finally {
      places.release();
    }
  }

  private static boolean receive(HttpServletRequest request, Path file) throws IOException {
    long left = MOST_BYTES;
    byte[] part = new byte[64 * 1024];
    try (InputStream in = request.getInputStream();
        OutputStream out = Files.newOutputStream(file)) {
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        left -= count;
        if (left < 0) {
          return false;
        }
        out.write(part, 0, count);
      }
    }
    return true;
  }

  private static void refuse(HttpServletResponse response) throws IOException {
    response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
    response.setContentType("application/json;charset=utf-8");
    response.setHeader("Connection", "close");
    response.getWriter().write(RefusalAnswer.json("Файлы вместе больше 60 МиБ: приложите меньше или сожмите их"));
  }

  private static final class FileBody extends StoredBody {

    private final Path file;

    FileBody(HttpServletRequest request, Path file) {
      super(request);
      this.file = file;
    }

    @Override
    InputStream open() throws IOException {
      return Files.newInputStream(file);
    }
  }
}
