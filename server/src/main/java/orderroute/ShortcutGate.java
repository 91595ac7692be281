package orderroute;

import org.operaton.bpm.engine.impl.ProcessInstantiationBuilderImpl;
import org.operaton.bpm.engine.impl.cmd.AbstractModificationCmd;
import org.operaton.bpm.engine.impl.cmd.AbstractProcessInstanceModificationCommand;
import org.operaton.bpm.engine.impl.cmd.AbstractRestartProcessInstanceCmd;
import org.operaton.bpm.engine.impl.cmd.ModifyProcessInstanceAsyncCmd;
import org.operaton.bpm.engine.impl.cmd.ModifyProcessInstanceCmd;
import org.operaton.bpm.engine.impl.cmd.StartProcessInstanceAtActivitiesCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.springframework.stereotype.Component;

/** Only admins and operators may start in the middle, restart, move tokens or switch listeners off. */
@Component
class ShortcutGate implements Gate {

  private static final String[] HOLDERS = {"builder", "executionBuilder", "instantiationBuilder"};
  private static final String[] FLAGS = {"skipCustomListeners", "skipIoMappings"};

  @Override
  public boolean concerns(Command<?> command) {
    return isShortcut(command) || skips(command);
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    if (!Caller.current().mayRepair()) {
      throw new Refusal("Перескакивать через шаги маршрута нельзя");
    }
    return go.on();
  }

  private static boolean isShortcut(Command<?> command) {
    return command instanceof StartProcessInstanceAtActivitiesCmd
        || command instanceof AbstractRestartProcessInstanceCmd<?>
        || command instanceof AbstractModificationCmd<?>
        || command instanceof ModifyProcessInstanceCmd
        || command instanceof ModifyProcessInstanceAsyncCmd
        || command instanceof AbstractProcessInstanceModificationCommand;
  }

  private static boolean skips(Command<?> command) {
    if (flagged(command)) {
      return true;
    }
    for (String name : HOLDERS) {
      Object holder = CommandFields.get(command, name);
      if (holder != null && !(holder instanceof ProcessInstantiationBuilderImpl) && flagged(holder)) {
        return true;
      }
    }
    return false;
  }

  private static boolean flagged(Object holder) {
    for (String flag : FLAGS) {
      if (Boolean.TRUE.equals(CommandFields.get(holder, flag))) {
        return true;
      }
    }
    return false;
  }
}
