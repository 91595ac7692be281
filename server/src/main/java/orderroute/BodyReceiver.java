package orderroute;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** Receives a body into a file. A line that creeps is ended with a sentence, one that stands still by Tomcat: each holds a thread. */
final class BodyReceiver {

  static final String TOO_LARGE = "Файлы вместе больше 60 МиБ: приложите меньше или сожмите их";
  private static final String TOO_SLOW =
      "Файл передаётся слишком медленно, приём прерван: проверьте связь или сожмите файл и приложите его снова";

  private static final int BUFFER = 64 * 1024;

  /** A bad mobile line still brings 50 KiB/s. */
  private static final int LEAST_PER_SECOND = 8 * 1024;

  /** The pace is looked at over so many seconds, again and again; tests set fewer. */
  private static final long WINDOW_SECONDS = Integer.getInteger("order-route.upload-window-seconds", 30);

  private BodyReceiver() {}

  /** Returns null when the body is in the file, else why it is not. */
  static String receive(HttpServletRequest request, Path file, long most) throws IOException {
    long length = request.getContentLengthLong();
    long received = 0;
    long inWindow = 0;
    long window = System.nanoTime();
    byte[] part = new byte[BUFFER];
    try (InputStream in = request.getInputStream();
        OutputStream out = Files.newOutputStream(file)) {
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        received += count;
        inWindow += count;
        if (received > most) {
          return TOO_LARGE;
        }
        out.write(part, 0, count);
        if (System.nanoTime() - window >= TimeUnit.SECONDS.toNanos(WINDOW_SECONDS)) {
          if (inWindow < WINDOW_SECONDS * LEAST_PER_SECOND && received != length) {
            return TOO_SLOW;
          }
          inWindow = 0;
          window = System.nanoTime();
        }
      }
    }
    return null;
  }
}
