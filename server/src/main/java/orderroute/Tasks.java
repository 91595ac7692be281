package orderroute;

import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;

/** The task that a command names, and the engine's own check whether the caller may work on it. */
final class Tasks {

  private Tasks() {}

  /** The task, or null where there is none: the command itself says so then. */
  static TaskEntity find(Object command) {
    var id = (String) CommandFields.get(command, "taskId");
    return id == null ? null : Context.getCommandContext().getTaskManager().findTaskById(id);
  }

  /** A wrong person gets the engine's own answer, not the gate's. */
  static void checkMayWork(TaskEntity task) {
    for (var checker : Context.getProcessEngineConfiguration().getCommandCheckers()) {
      checker.checkTaskWork(task);
    }
  }
}
