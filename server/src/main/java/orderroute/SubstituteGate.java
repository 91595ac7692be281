package orderroute;

import org.operaton.bpm.engine.impl.cmd.DeleteIdentityLinkCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.springframework.stereotype.Component;

/** A substitute whose time is over may not do the step any more: the engine takes the link away and leaves the right. */
@Component
class SubstituteGate implements Gate {

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof DeleteIdentityLinkCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    T done = go.on();
    var task = Tasks.find(command);
    if (task != null) {
      AssignmentRule.takeBack(task, (String) CommandFields.get(command, "userId"));
    }
    return done;
  }
}
