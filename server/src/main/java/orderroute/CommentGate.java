package orderroute;

import org.operaton.bpm.engine.AuthorizationException;
import org.operaton.bpm.engine.impl.cmd.AddCommentCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.springframework.stereotype.Component;

/**
 * Comments at a step come from those who may do it, and stay; files come through the form, where they are judged.
 *
 * <p>The engine lets everybody who may read a task write at it, change what others wrote, and attach any file.
 */
@Component
class CommentGate implements Gate {

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof AddCommentCmd || changes(command);
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    Caller caller = Caller.current();
    if (caller.isEngine() || caller.isAdmin()) {
      return go.on();
    }
    if (changes(command) || !mayWork(command)) {
      throw new Refusal("Писать к шагу может тот, кто его выполняет; написанное не меняется, файлы прикладываются в форме");
    }
    return go.on();
  }

  /** The engine's answer to a wrong person would come out of this route as its own fault. */
  private static boolean mayWork(Command<?> command) {
    var task = Tasks.find(command);
    if (task == null) {
      return false;
    }
    try {
      Tasks.checkMayWork(task);
      return true;
    } catch (AuthorizationException wrongPerson) {
      return false;
    }
  }

  /** By name: the engine has a dozen of them, and a new one is to be shut as well. */
  private static boolean changes(Command<?> command) {
    String name = command.getClass().getSimpleName();
    boolean reads = name.startsWith("Get");
    return !reads && !(command instanceof AddCommentCmd) && (name.contains("Comment") || name.contains("Attachment"));
  }
}
