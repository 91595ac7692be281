package orderroute;

import org.operaton.bpm.engine.impl.cmd.ClaimTaskCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;
import org.springframework.stereotype.Component;

/** Who comes second is told who has the stage, instead of the engine's English sentence with an id. */
@Component
class ClaimGate implements Gate {

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof ClaimTaskCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    TaskEntity task = Tasks.find(command);
    Object wanted = CommandFields.get(command, "userId");
    if (task != null && wanted != null && Model.form(task) != null) {
      String holder = task.getAssignee();
      if (holder != null && !holder.equals(wanted)) {
        Tasks.checkMayWork(task);
        throw new Refusal("Шаг уже в работе у другого: " + People.name(holder));
      }
    }
    return go.on();
  }
}
