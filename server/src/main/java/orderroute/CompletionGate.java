package orderroute;

import java.util.Map;
import org.operaton.bpm.engine.impl.cmd.CompleteTaskCmd;
import org.operaton.bpm.engine.impl.cmd.ResolveTaskCmd;
import org.operaton.bpm.engine.impl.cmd.SubmitTaskFormCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;
import org.operaton.bpm.engine.variable.VariableMap;
import org.operaton.bpm.engine.variable.Variables;
import org.operaton.bpm.engine.variable.type.ValueType;
import org.operaton.bpm.engine.variable.value.TypedValue;
import org.springframework.stereotype.Component;

/** A stage is completed only with what it demands, sent with this completion; its files that were not sent again are unset. */
@Component
class CompletionGate implements Gate {

  private final AnswerJudge judge;

  CompletionGate(AnswerJudge judge) {
    this.judge = judge;
  }

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof CompleteTaskCmd || command instanceof SubmitTaskFormCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    TaskEntity task = Tasks.find(command);
    Form form = task == null ? null : Model.form(task);
    if (form == null) {
      return go.on();
    }
    Tasks.checkMayWork(task);
    String field = command instanceof SubmitTaskFormCmd ? "properties" : "variables";
    Map<String, Object> sent = CommandFields.map(command, field);
    if (command instanceof ResolveTaskCmd) {
      checkNothingSent(sent);
      return go.on();
    }
    var values = judge.judge(form, Answer.of(sent), task::getVariable);
    unsetOldFiles(form, task, values);
    CommandFields.set(command, field, variables(values));
    Judged.open(Judged.task(task.getId()));
    try {
      return go.on();
    } finally {
      Judged.close();
    }
  }

  private static void checkNothingSent(Map<String, Object> sent) {
    if (sent != null && !sent.isEmpty()) {
      throw new Refusal("Поле «" + Shown.value(sent.keySet().iterator().next()) + "» меняет только завершение шага");
    }
  }

  private static void unsetOldFiles(Form form, TaskEntity task, Map<String, Object> values) {
    for (Field field : form.fields().values()) {
      if (field.kind().holdsFiles()) {
        for (String name : field.variables()) {
          if (!values.containsKey(name) && holdsValue(task, name)) {
            values.put(name, Variables.untypedNullValue());
          }
        }
      }
    }
  }

  private static boolean holdsValue(TaskEntity task, String name) {
    TypedValue value = task.getVariableTyped(name, false);
    return value != null && value.getType() != ValueType.NULL;
  }

  private static VariableMap variables(Map<String, Object> values) {
    VariableMap variables = Variables.createVariables();
    values.forEach(variables::put);
    return variables;
  }
}
