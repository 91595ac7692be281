package orderroute;

import org.operaton.bpm.engine.impl.cmd.HandleTaskBpmnErrorCmd;
import org.operaton.bpm.engine.impl.cmd.HandleTaskEscalationCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.springframework.stereotype.Component;

/** A stage is not left by a BPMN error or an escalation of its holder: both carry any variables past the form. */
@Component
class TaskErrorGate implements Gate {

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof HandleTaskBpmnErrorCmd || command instanceof HandleTaskEscalationCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    var task = Tasks.find(command);
    if (task != null && Model.form(task) != null) {
      Tasks.checkMayWork(task);
      if (!Caller.current().mayRepair()) {
        throw new Refusal("Этот шаг завершается только его формой");
      }
    }
    return go.on();
  }
}
