package orderroute;

import java.util.LinkedHashMap;
import java.util.Map;
import org.operaton.bpm.engine.impl.persistence.entity.ProcessDefinitionEntity;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;
import org.operaton.bpm.engine.impl.pvm.process.ProcessDefinitionImpl;

/** What the parse listener noted on a deployed definition: its stages by code, their forms and the form of its start. */
final class Model {

  private static final String STAGES = "orderRoute.stages";
  private static final String START = "orderRoute.start";
  private static final String FORM = "orderRoute.form";

  private Model() {}

  /** Element ids of the user tasks by stage code; empty for a process that is no order. */
  @SuppressWarnings("unchecked")
  static Map<String, String> stages(ProcessDefinitionImpl definition) {
    var stages = (Map<String, String>) definition.getProperty(STAGES);
    return stages == null ? Map.of() : stages;
  }

  static void addStage(ProcessDefinitionImpl definition, String code, String taskId, Form form) {
    var stages = new LinkedHashMap<>(stages(definition));
    if (stages.putIfAbsent(code, taskId) != null) {
      throw new IllegalArgumentException("код этапа «" + code + "» уже занят");
    }
    definition.setProperty(STAGES, stages);
    addStep(definition, taskId, form);
  }

  /** A task that is answered by a form; it makes no order of its process. */
  static void addStep(ProcessDefinitionImpl definition, String taskId, Form form) {
    definition.findActivity(taskId).setProperty(FORM, form);
  }

  static boolean isOrder(ProcessDefinitionImpl definition) {
    return !stages(definition).isEmpty();
  }

  /** The form of the start, or null: then the start is not ours to judge. */
  static Form start(ProcessDefinitionImpl definition) {
    return (Form) definition.getProperty(START);
  }

  static void setStart(ProcessDefinitionImpl definition, Form form) {
    definition.setProperty(START, form);
  }

  /** The form of the task, or null: then the task is none of ours. */
  static Form form(TaskEntity task) {
    if (task.getProcessDefinitionId() == null) {
      return null;
    }
    ProcessDefinitionEntity definition = task.getExecution().getProcessDefinition();
    var activity = definition.findActivity(task.getTaskDefinitionKey());
    return activity == null ? null : (Form) activity.getProperty(FORM);
  }
}
