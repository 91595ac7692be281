package orderroute;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;

/** A small JSON body that a rule has to read before the REST interface does. */
final class PeekedBody extends StoredBody {

  private static final int MOST_BYTES = 256 * 1024;
  private static final ObjectMapper JSON = new ObjectMapper();

  private final byte[] bytes;

  private PeekedBody(HttpServletRequest request, byte[] bytes) {
    super(request);
    this.bytes = bytes;
  }

  /** Reads the body, or null where it is too large to be one of the small calls. */
  static PeekedBody of(HttpServletRequest request) throws IOException {
    byte[] bytes = request.getInputStream().readNBytes(MOST_BYTES + 1);
    return bytes.length > MOST_BYTES ? null : new PeekedBody(request, bytes);
  }

  JsonNode json() {
    try {
      return JSON.readTree(bytes);
    } catch (IOException unreadable) {
      return JSON.nullNode();
    }
  }

  @Override
  InputStream open() {
    return new ByteArrayInputStream(bytes);
  }
}
