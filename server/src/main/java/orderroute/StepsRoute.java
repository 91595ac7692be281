package orderroute;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.sql.Timestamp;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.rest.exception.RestException;
import org.springframework.jdbc.core.namedparam.NamedParameterJdbcTemplate;
import org.springframework.stereotype.Component;

/**
 * What the stock routes tell of one order at a time, for many orders at once: the candidates of their open tasks, their
 * open incidents, the end events that they have reached, and when they were suspended and let go on.
 */
@Component
@Path("/order/steps")
public class StepsRoute {

  private static final int MOST = 2000;

  /** Each row holds `instance`, and what is found there. */
  private static final Map<String, String> QUERIES =
      Map.of(
          "candidates",
          "SELECT t.PROC_INST_ID_, t.ID_, l.GROUP_ID_, l.USER_ID_ FROM ACT_RU_TASK t"
              + " JOIN ACT_RU_IDENTITYLINK l ON l.TASK_ID_ = t.ID_"
              + " WHERE t.PROC_INST_ID_ IN (:ids) AND l.TYPE_ = 'candidate' ORDER BY l.ID_",
          "incidents",
          "SELECT PROC_INST_ID_, ID_, NULL, NULL FROM ACT_RU_INCIDENT WHERE PROC_INST_ID_ IN (:ids)",
          "ends",
          "SELECT PROC_INST_ID_, ACT_ID_, NULL, NULL FROM ACT_HI_ACTINST WHERE PROC_INST_ID_ IN (:ids)"
              + " AND ACT_TYPE_ LIKE '%EndEvent' AND ACT_INST_STATE_ <> 2 AND END_TIME_ IS NOT NULL"
              + " ORDER BY END_TIME_, SEQUENCE_COUNTER_",
          "pauses",
          "SELECT PROC_INST_ID_, OPERATION_TYPE_, NULL, NULL, TIMESTAMP_ FROM ACT_HI_OP_LOG"
              + " WHERE PROC_INST_ID_ IN (:ids) AND ENTITY_TYPE_ = 'ProcessInstance'"
              + " AND OPERATION_TYPE_ IN ('Suspend', 'Activate') ORDER BY TIMESTAMP_, ID_");

  private static final List<String> NAMES = List.of("instance", "id", "group", "user", "at");

  private final NamedParameterJdbcTemplate jdbc;

  StepsRoute(NamedParameterJdbcTemplate jdbc) {
    this.jdbc = jdbc;
  }

  @POST
  @Consumes(MediaType.APPLICATION_JSON)
  @Produces(MediaType.APPLICATION_JSON)
  public Map<String, List<Map<String, String>>> read(Map<String, List<String>> body) {
    if (!AllowList.INTEGRATION.equals(TechnicalCaller.current())) {
      throw new RestException(Response.Status.FORBIDDEN, "only the integration account may make this call");
    }
    List<String> ids = body == null ? null : body.get("instances");
    if (ids == null || ids.isEmpty() || ids.size() > MOST) {
      throw new RestException(Response.Status.BAD_REQUEST, "instances must name 1 to " + MOST + " instances");
    }
    var answer = new LinkedHashMap<String, List<Map<String, String>>>();
    QUERIES.forEach((what, query) -> answer.put(what, rows(query, ids)));
    return answer;
  }

  private List<Map<String, String>> rows(String query, List<String> ids) {
    return jdbc.query(
        query,
        Map.of("ids", ids),
        (row, number) -> {
          var found = new LinkedHashMap<String, String>();
          for (int at = 0; at < row.getMetaData().getColumnCount(); at++) {
            Object value = row.getObject(at + 1);
            if (value != null) {
              found.put(NAMES.get(at), value instanceof Timestamp moment ? moment.toInstant().toString() : value.toString());
            }
          }
          return found;
        });
  }
}
