package orderroute;

import org.operaton.bpm.engine.authorization.Resources;
import org.operaton.bpm.engine.delegate.DelegateTask;
import org.operaton.bpm.engine.delegate.TaskListener;
import org.operaton.bpm.engine.impl.context.Context;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/**
 * People read and write comments of their open tasks by a right on the task's history. The engine keeps that right for
 * years, one row for each task ever made, and compares people's queries with all of them: it goes with the task.
 */
@Component
class HistoricRights implements TaskListener {

  private final JdbcTemplate jdbc;

  HistoricRights(JdbcTemplate jdbc) {
    this.jdbc = jdbc;
  }

  @Override
  public void notify(DelegateTask task) {
    Context.getCommandContext()
        .getAuthorizationManager()
        .deleteAuthorizationsByResourceId(Resources.HISTORIC_TASK, task.getId());
  }

  /** What a server of before left behind. */
  void removeOld() {
    jdbc.update(
        "DELETE FROM ACT_RU_AUTHORIZATION WHERE RESOURCE_TYPE_ = ? AND RESOURCE_ID_ <> '*'"
            + " AND NOT EXISTS (SELECT 1 FROM ACT_RU_TASK t WHERE t.ID_ = RESOURCE_ID_)",
        Resources.HISTORIC_TASK.resourceType());
  }
}
