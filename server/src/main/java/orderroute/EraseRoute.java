package orderroute;

import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.rest.util.EngineUtil;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Takes everything that people wrote or attached out of an ended instance: values, files, comments, reasons, error texts.
 * Which steps there were, when, and who did them stays. All of it or nothing.
 */
@Component
@Path("/order/{id}/erase")
public class EraseRoute {

  private static final String OF_TASKS = " OR TASK_ID_ IN (SELECT ID_ FROM ACT_HI_TASKINST WHERE PROC_INST_ID_ = ?)";

  /** What is counted in the answer, and how it goes. */
  private static final Map<String, List<String>> STATEMENTS = statements();

  private final JdbcTemplate jdbc;
  private final TransactionTemplate together;
  private final String url;

  EraseRoute(
      JdbcTemplate jdbc, PlatformTransactionManager transactions, @Value("${spring.datasource.url}") String url) {
    this.jdbc = jdbc;
    this.together = new TransactionTemplate(transactions);
    this.url = url;
  }

  @POST
  @Produces(MediaType.APPLICATION_JSON)
  public Map<String, Integer> erase(@PathParam("id") String id) {
    var engine = EngineUtil.lookupProcessEngine(null);
    AdminOnly.check(engine);
    var found = engine.getHistoryService().createHistoricProcessInstanceQuery().processInstanceId(id).singleResult();
    if (found == null) {
      throw new RefusalAnswer(new Refusal("Такого заказа в движке нет"));
    }
    if (found.getEndTime() == null) {
      throw new RefusalAnswer(new Refusal("Заказ ещё идёт: " + found.getBusinessKey()));
    }
    Map<String, Integer> done = together.execute(status -> inside(engine, id));
    EmbeddedDatabase.compactAtNextStart(url);
    return done;
  }

  private Map<String, Integer> inside(ProcessEngine engine, String id) {
    var done = new LinkedHashMap<String, Integer>();
    done.put("variables", count("ACT_HI_VARINST", id));
    done.put("updates", count("ACT_HI_DETAIL", id));
    if (done.get("variables") > 0) {
      // Through the engine: it checks the right and writes into the operation log who did it.
      engine.getHistoryService().deleteHistoricVariableInstancesByProcessInstanceId(id);
    }
    for (var each : STATEMENTS.entrySet()) {
      int rows = 0;
      for (String statement : each.getValue()) {
        Object[] ids = new Object[(int) statement.chars().filter(c -> c == '?').count()];
        java.util.Arrays.fill(ids, id);
        rows += jdbc.update(statement, ids);
      }
      done.put(each.getKey(), rows);
    }
    return done;
  }

  private int count(String table, String id) {
    Integer rows = jdbc.queryForObject("SELECT COUNT(*) FROM " + table + " WHERE PROC_INST_ID_ = ?", Integer.class, id);
    return rows == null ? 0 : rows;
  }

  private static Map<String, List<String>> statements() {
    var all = new LinkedHashMap<String, List<String>>();
    all.put(
        "leftovers",
        List.of(
            "DELETE FROM ACT_HI_DETAIL WHERE PROC_INST_ID_ = ?", "DELETE FROM ACT_HI_VARINST WHERE PROC_INST_ID_ = ?"));
    all.put(
        "comments",
        List.of(
            "DELETE FROM ACT_HI_COMMENT WHERE PROC_INST_ID_ = ?" + OF_TASKS,
            "DELETE FROM ACT_HI_ATTACHMENT WHERE PROC_INST_ID_ = ?" + OF_TASKS));
    all.put(
        "errors",
        List.of(
            "UPDATE ACT_HI_EXT_TASK_LOG SET ERROR_MSG_ = NULL, ERROR_DETAILS_ID_ = NULL WHERE PROC_INST_ID_ = ?"
                + " AND (ERROR_MSG_ IS NOT NULL OR ERROR_DETAILS_ID_ IS NOT NULL)",
            "UPDATE ACT_HI_JOB_LOG SET JOB_EXCEPTION_MSG_ = NULL, JOB_EXCEPTION_STACK_ID_ = NULL"
                + " WHERE PROCESS_INSTANCE_ID_ = ?"
                + " AND (JOB_EXCEPTION_MSG_ IS NOT NULL OR JOB_EXCEPTION_STACK_ID_ IS NOT NULL)",
            "UPDATE ACT_HI_INCIDENT SET INCIDENT_MSG_ = NULL, ANNOTATION_ = NULL WHERE PROC_INST_ID_ = ?"
                + " AND (INCIDENT_MSG_ IS NOT NULL OR ANNOTATION_ IS NOT NULL)"));
    all.put(
        "operations",
        List.of(
            "UPDATE ACT_HI_OP_LOG SET ORG_VALUE_ = NULL, NEW_VALUE_ = NULL, ANNOTATION_ = NULL WHERE PROC_INST_ID_ = ?"
                + " AND (ORG_VALUE_ IS NOT NULL OR NEW_VALUE_ IS NOT NULL OR ANNOTATION_ IS NOT NULL)"));
    all.put(
        "reasons",
        List.of(
            "UPDATE ACT_HI_PROCINST SET DELETE_REASON_ = NULL WHERE PROC_INST_ID_ = ? AND DELETE_REASON_ IS NOT NULL",
            "UPDATE ACT_HI_TASKINST SET DESCRIPTION_ = NULL WHERE PROC_INST_ID_ = ? AND DESCRIPTION_ IS NOT NULL"));
    all.put("files", List.of("DELETE FROM ACT_GE_BYTEARRAY WHERE ROOT_PROC_INST_ID_ = ?"));
    return all;
  }
}
