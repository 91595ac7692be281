package orderroute;

import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Date;
import org.operaton.bpm.engine.delegate.DelegateExecution;
import org.operaton.bpm.engine.impl.persistence.entity.ExecutionEntity;
import org.springframework.stereotype.Component;

/** A moved ready date re-arms the late timer with all its reminders and moves the due date of the work, in one transaction. */
@Component("readyDate")
public class ReadyDate {

  private static final String LATE_TIMER = "BoundaryEvent_Late";
  private static final String WORK = "UserTask_Manufacture";

  /** Called by the diagram when the message ReadyDateMoved has arrived; does nothing more once the work is over. */
  public void move(DelegateExecution execution) {
    Date readyBy = readyBy(execution);
    var engine = execution.getProcessEngineServices();
    String instance = execution.getProcessInstanceId();
    var jobs = engine.getManagementService();
    for (var job : jobs.createJobQuery().processInstanceId(instance).activityId(LATE_TIMER).listPage(0, 10)) {
      jobs.setJobDuedate(job.getId(), readyBy, true);
    }
    var tasks = engine.getTaskService().createTaskQuery().processInstanceId(instance).taskDefinitionKey(WORK);
    for (var task : tasks.listPage(0, 10)) {
      task.setDueDate(readyBy);
    }
    ((ExecutionEntity) execution).getProcessInstance().setVariable("due_" + WORK, readyBy);
  }

  private static Date readyBy(DelegateExecution execution) {
    Object readyBy = execution.getVariable("readyBy");
    try {
      return Date.from(OffsetDateTime.parse(String.valueOf(readyBy)).toInstant());
    } catch (DateTimeParseException error) {
      throw new Refusal("Срок готовности «" + Shown.value(readyBy) + "» не читается, нужен вида 2026-12-24T18:00:00+03:00");
    }
  }
}
