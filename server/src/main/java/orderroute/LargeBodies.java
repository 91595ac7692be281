package orderroute;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Semaphore;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Three bodies with a full-sized file are worked on at a time, or one with 60 MiB: each costs several times its size in
 * memory, so the others wait.
 *
 * <p>A body is received into a temporary file first, so that a slow line holds up nobody.
 */
class LargeBodies extends OncePerRequestFilter {

  private static final int MIB = 1 << 20;

  private static final int BUFFER = 64 * 1024;

  /** 60 MiB of files as base64, and what is around them; also three times 20 MiB. */
  private static final int MOST_MIB = 81;

  private final Semaphore room = new Semaphore(MOST_MIB, true);

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
      refuse(response);
      return;
    }
    Path file = Files.createTempFile("order-route-", ".body");
    try {
      if (receive(request, file)) {
        inTurn(new FileBody(request, file), Files.size(file), response, chain);
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

  private static boolean receive(HttpServletRequest request, Path file) throws IOException {
    long left = (long) MOST_MIB * MIB;
    byte[] part = new byte[BUFFER];
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
      // The engine's own filter reads byte by byte.
      return new BufferedInputStream(Files.newInputStream(file), BUFFER);
    }
  }
}
