package orderroute;

import java.util.Date;
import org.operaton.bpm.engine.delegate.DelegateTask;
import org.operaton.bpm.engine.delegate.TaskListener;

/** A new stage task takes its due date from the variable that the step before it wrote (due_…). */
class DueDate implements TaskListener {

  @Override
  public void notify(DelegateTask task) {
    if (task.getVariable("due_" + task.getTaskDefinitionKey()) instanceof Date due) {
      task.setDueDate(due);
    }
  }
}
