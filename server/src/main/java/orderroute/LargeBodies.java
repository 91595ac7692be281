package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Three bodies with a full-sized file are worked on at a time, or one with 60 MiB: each costs several times its size in
 * memory, so the others wait.
 *
 * <p>A body is received into a temporary file first, so that a slow line holds up nobody else's work.
 */
class LargeBodies extends OncePerRequestFilter {

  private static final int MIB = 1 << 20;

  private static final int BUFFER = 64 * 1024;

  /** 60 MiB of files as base64, and what is around them; also three times 20 MiB. */
  private static final int MOST_MIB = 81;

  /** Bodies on their way at once, half of the server's threads: slow lines must leave threads for everybody else. */
  private static final int MOST_LINES = 30;

  private final Semaphore room = new Semaphore(MOST_MIB, true);
  private final Semaphore lines = new Semaphore(MOST_LINES);

  @Override
  protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    long length = request.getContentLengthLong();
    boolean chunked = request.getHeader("Transfer-Encoding") != null;
    if (length <= MIB && !chunked) {
      chain.doFilter(request, response);
      return;
    }
    if (length > (long) MOST_MIB * MIB) {
      refuse(response, BodyReceiver.TOO_LARGE);
      return;
    }
    if (!lines.tryAcquire()) {
      refuse(response, "Сейчас принимается слишком много больших файлов: повторите через минуту");
      return;
    }
    try {
      work(request, response, chain);
    } finally {
      lines.release();
    }
  }

  private void work(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    Path file = Files.createTempFile("order-route-", ".body");
    try {
      String why = BodyReceiver.receive(request, file, (long) MOST_MIB * MIB);
      if (why == null) {
        inTurn(new FileBody(request, file), Files.size(file), response, chain);
      } else {
        refuse(response, why);
      }
    } finally {
      Files.deleteIfExists(file);
    }
  }

  @Override
  protected boolean shouldNotFilterAsyncDispatch() {
    return true;
  }

  private void inTurn(HttpServletRequest request, long size, HttpServletResponse response, FilterChain chain)
      throws ServletException, IOException {
    int share = (int) (size / MIB);
    room.acquireUninterruptibly(share);
    try {
      chain.doFilter(request, response);
    } finally {
      room.release(share);
    }
  }

  private static void refuse(HttpServletResponse response, String why) throws IOException {
    response.setStatus(HttpServletResponse.SC_BAD_REQUEST);
    response.setContentType("application/json;charset=utf-8");
    response.setHeader("Connection", "close");
    response.getWriter().write(RefusalAnswer.json(why));
  }

  private static final class FileBody extends StoredBody {

    private final Path file;

    FileBody(HttpServletRequest request, Path file) {
      super(request);
      this.file = file;
    }

    @Override
    InputStream open() throws IOException {
      // The engine's own filter reads byte by byte.
      return new BufferedInputStream(Files.newInputStream(file), BUFFER);
    }
  }
}
