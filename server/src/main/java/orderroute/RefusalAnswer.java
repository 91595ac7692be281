package orderroute;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import jakarta.ws.rs.WebApplicationException;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.util.LinkedHashMap;

/** A refusal as every REST door answers it: 400, our code, our sentence and no prefix of the engine's. */
final class RefusalAnswer extends WebApplicationException {

  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  RefusalAnswer(Refusal refusal) {
    super(
        refusal.getMessage(),
        refusal,
        Response.status(Response.Status.BAD_REQUEST)
            .type(MediaType.APPLICATION_JSON_TYPE.withCharset("utf-8"))
            .entity(json(refusal.getMessage()))
            .build());
  }

  static String json(String sentence) {
    var body = new LinkedHashMap<String, Object>();
    body.put("type", "Refusal");
    body.put("message", sentence);
    body.put("code", Refusal.CODE);
    try {
      return JSON.writeValueAsString(body);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
