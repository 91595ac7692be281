package orderroute;

import java.util.List;
import org.operaton.bpm.engine.AuthorizationException;
import org.operaton.bpm.engine.impl.cmd.AbstractCorrelateMessageCmd;
import org.operaton.bpm.engine.impl.cmd.ExecuteJobsCmd;
import org.operaton.bpm.engine.impl.cmd.FetchExternalTasksCmd;
import org.operaton.bpm.engine.impl.cmd.HandleExternalTaskCmd;
import org.operaton.bpm.engine.impl.cmd.MessageEventReceivedCmd;
import org.operaton.bpm.engine.impl.cmd.PatchExecutionVariablesCmd;
import org.operaton.bpm.engine.impl.cmd.RecalculateJobDuedateCmd;
import org.operaton.bpm.engine.impl.cmd.RemoveExecutionVariablesCmd;
import org.operaton.bpm.engine.impl.cmd.SetExecutionVariablesCmd;
import org.operaton.bpm.engine.impl.cmd.SetJobDuedateCmd;
import org.operaton.bpm.engine.impl.cmd.SignalCmd;
import org.operaton.bpm.engine.impl.cmd.SignalEventReceivedCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.springframework.stereotype.Component;

/**
 * An operator repeats, moves and migrates; data, messages, timers and the programs' own work are not theirs.
 *
 * <p>The engine knows one right for all of it (UPDATE_INSTANCE), which the repairs need.
 */
@Component
class OperatorGate implements Gate {

  private static final List<Class<?>> NOT_THEIRS =
      List.of(
          AbstractCorrelateMessageCmd.class,
          MessageEventReceivedCmd.class,
          SignalEventReceivedCmd.class,
          SignalCmd.class,
          SetExecutionVariablesCmd.class,
          PatchExecutionVariablesCmd.class,
          RemoveExecutionVariablesCmd.class,
          FetchExternalTasksCmd.class,
          HandleExternalTaskCmd.class,
          SetJobDuedateCmd.class,
          RecalculateJobDuedateCmd.class,
          ExecuteJobsCmd.class);

  @Override
  public boolean concerns(Command<?> command) {
    return NOT_THEIRS.stream().anyMatch(type -> type.isInstance(command));
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    Caller caller = Caller.current();
    if (caller.in(Caller.OPERATORS) && !caller.isAdmin()) {
      throw new AuthorizationException("Operators repeat, move and migrate orders; this call is not theirs");
    }
    return go.on();
  }
}
