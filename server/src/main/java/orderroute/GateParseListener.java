package orderroute;

import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.delegate.ExecutionListener;
import org.operaton.bpm.engine.delegate.TaskListener;
import org.operaton.bpm.engine.impl.bpmn.behavior.UserTaskActivityBehavior;
import org.operaton.bpm.engine.impl.bpmn.parser.AbstractBpmnParseListener;
import org.operaton.bpm.engine.impl.bpmn.parser.BpmnParseUtil;
import org.operaton.bpm.engine.impl.persistence.entity.ProcessDefinitionEntity;
import org.operaton.bpm.engine.impl.pvm.process.ActivityImpl;
import org.operaton.bpm.engine.impl.pvm.process.ProcessDefinitionImpl;
import org.operaton.bpm.engine.impl.pvm.process.ScopeImpl;
import org.operaton.bpm.engine.impl.util.xml.Element;
import org.springframework.stereotype.Component;

/** Puts the gates on every stage and every start, as built-in listeners that no skip flag switches off. */
@Component
class GateParseListener extends AbstractBpmnParseListener {

  private final CompletionMark completionMark;
  private final StartMark startMark;
  private final HistoricRights historicRights;

  GateParseListener(CompletionMark completionMark, StartMark startMark, HistoricRights historicRights) {
    this.completionMark = completionMark;
    this.startMark = startMark;
    this.historicRights = historicRights;
  }

  @Override
  public void parseUserTask(Element element, ScopeImpl scope, ActivityImpl activity) {
    var properties = properties(element);
    String code = properties.getOrDefault("stage", "").strip();
    if (code.isEmpty() && !asks(properties)) {
      return;
    }
    reading(activity.getId(), () -> addForm(activity, code, properties));
    var task = ((UserTaskActivityBehavior) activity.getActivityBehavior()).getTaskDefinition();
    task.addBuiltInTaskListener(TaskListener.EVENTNAME_CREATE, new DueDate());
    task.addBuiltInTaskListener(TaskListener.EVENTNAME_ASSIGNMENT, new AssignmentRule());
    task.addBuiltInTaskListener(TaskListener.EVENTNAME_COMPLETE, completionMark);
    task.addBuiltInTaskListener(TaskListener.EVENTNAME_COMPLETE, historicRights);
    task.addBuiltInTaskListener(TaskListener.EVENTNAME_DELETE, historicRights);
  }

  @Override
  public void parseProcess(Element element, ProcessDefinitionEntity definition) {
    ActivityImpl initial = definition.getInitial();
    if (initial == null) {
      return;
    }
    var properties = startProperties(element, initial.getId());
    reading(
        initial.getId(),
        () -> {
          Form form = Form.parse(properties);
          if (Model.isOrder(definition) || !form.fields().isEmpty()) {
            Model.setStart(definition, form);
            definition.addBuiltInListener(ExecutionListener.EVENTNAME_START, startMark);
          }
        });
  }

  /** A task without a stage that asks for something is a person's step in a support process: gated as well. */
  private static boolean asks(Map<String, String> properties) {
    return properties.keySet().stream().anyMatch(name -> name.startsWith(Form.FIELD));
  }

  private static void addForm(ActivityImpl activity, String code, Map<String, String> properties) {
    var definition = (ProcessDefinitionImpl) activity.getProcessDefinition();
    if (code.isEmpty()) {
      Model.addStep(definition, activity.getId(), Form.parse(properties));
    } else {
      Model.addStage(definition, code, activity.getId(), Form.parse(properties));
    }
  }

  private static Map<String, String> startProperties(Element process, String startId) {
    List<Element> starts = process.elements("startEvent");
    return starts.stream()
        .filter(start -> startId.equals(start.attribute("id")))
        .findFirst()
        .map(GateParseListener::properties)
        .orElse(Map.of());
  }

  private static Map<String, String> properties(Element element) {
    if (element.element("extensionElements") == null) {
      return Map.of();
    }
    var properties = BpmnParseUtil.parseOperatonExtensionProperties(element);
    return properties == null ? Map.of() : properties;
  }

  private static void reading(String elementId, Runnable work) {
    try {
      work.run();
    } catch (IllegalArgumentException wrong) {
      throw new Refusal("Схема не принята: " + elementId + ": " + wrong.getMessage());
    }
  }
}
