package orderroute;

import org.operaton.bpm.engine.impl.cmd.AssignTaskCmd;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;
import org.springframework.stereotype.Component;

/**
 * A holder may give a stage back and a head may hand it out, without the engine's right to assign, which would allow more.
 *
 * <p>The assignment rule still judges who may get it.
 */
@Component
class GiveBackGate implements Gate {

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof AssignTaskCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    TaskEntity task = Tasks.find(command);
    if (task == null || Model.form(task) == null || !mayHandOut(task, CommandFields.get(command, "userId"))) {
      return go.on();
    }
    return Context.getCommandContext().runWithoutAuthorization(go::on);
  }

  private static boolean mayHandOut(TaskEntity task, Object wanted) {
    Caller caller = Caller.current();
    if (caller.isEngine()) {
      return false;
    }
    boolean givesBack = wanted == null && caller.id().equals(task.getAssignee());
    return givesBack || AssignmentRule.heads(task, caller);
  }
}
