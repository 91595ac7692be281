package orderroute;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.operaton.bpm.engine.TaskService;
import org.operaton.bpm.engine.impl.VariableInstanceQueryImpl;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.task.Task;
import org.springframework.stereotype.Component;

/**
 * The columns of a task list: whoever may read a step may read its order's variables there, as on the step itself.
 *
 * <p>The engine asks for a right on the whole definition instead, and without it leaves the columns empty.
 */
@Component
class ColumnsGate implements Gate {

  /** A page of the list has some tens of tasks; each brings its own, its execution's and its order's id. */
  private static final int MOST = 1000;

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof VariableInstanceQueryImpl;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    var scopes = (String[]) CommandFields.get(command, "variableScopeIds");
    if (scopes == null || scopes.length > MOST || Caller.current().isEngine() || !readable(new HashSet<>(Arrays.asList(scopes)))) {
      return go.on();
    }
    return Context.getCommandContext().runWithoutAuthorization(go::on);
  }

  /** Whether all of them belong to open tasks that the caller may read and that are named among them. */
  private static boolean readable(Set<String> scopes) {
    TaskService tasks = Context.getProcessEngineConfiguration().getTaskService();
    var allowed = new HashSet<String>();
    for (Task task : tasks.createTaskQuery().taskIdIn(scopes.toArray(String[]::new)).list()) {
      allowed.addAll(Arrays.asList(task.getId(), task.getExecutionId(), task.getProcessInstanceId()));
    }
    return allowed.containsAll(scopes);
  }
}
