package orderroute;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.PUT;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.time.format.DateTimeParseException;
import java.util.Date;
import java.util.Map;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.rest.exception.InvalidRequestException;
import org.operaton.bpm.engine.rest.util.EngineUtil;

/** Sets a task's due date and nothing else (the stock update overwrites name, assignee and priority too). */
@Path("/order/task/{id}/due")
public class DueDateRoute {

  @PUT
  @Consumes(MediaType.APPLICATION_JSON)
  @Produces(MediaType.APPLICATION_JSON)
  public void set(@PathParam("id") String id, Map<String, String> body) {
    ProcessEngine engine = EngineUtil.lookupProcessEngine(null);
    if (engine.getTaskService().createTaskQuery().taskId(id).count() == 0) {
      throw new InvalidRequestException(jakarta.ws.rs.core.Response.Status.NOT_FOUND, "no task with id " + id);
    }
    engine.getTaskService().setDueDate(id, date(body == null ? null : body.get("due")));
  }

  private static Date date(String due) {
    try {
      return due == null ? null : Date.from(Dates.instant(due));
    } catch (DateTimeParseException error) {
      throw new InvalidRequestException(
          jakarta.ws.rs.core.Response.Status.BAD_REQUEST, error, "due must be ISO with offset: 2026-12-24T18:00:00+03:00");
    }
  }
}
