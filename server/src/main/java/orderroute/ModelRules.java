package orderroute;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.operaton.bpm.engine.impl.bpmn.parser.AbstractBpmnParseListener;
import org.operaton.bpm.engine.impl.bpmn.parser.BpmnParser;
import org.operaton.bpm.engine.impl.persistence.entity.ProcessDefinitionEntity;
import org.operaton.bpm.engine.impl.util.xml.Element;
import org.springframework.stereotype.Component;

/** A diagram that is being deployed may hold no code: no script, class, bean, connector, listener or free expression. */
@Component
class ModelRules extends AbstractBpmnParseListener {

  private static final Set<String> EXTENSION_URIS =
      Set.of(BpmnParser.OPERATON_BPMN_EXTENSIONS_NS, BpmnParser.CAMUNDA_BPMN_EXTENSIONS_NS);

  private static final Set<String> ATTRIBUTES =
      Set.of(
          "assignee", "asyncAfter", "asyncBefore", "calledElementBinding", "calledElementVersion",
          "calledElementVersionTag", "candidateGroups", "candidateStarterGroups", "candidateStarterUsers",
          "candidateUsers", "collection", "dueDate", "elementVariable", "errorCodeVariable", "errorMessageVariable",
          "escalationCodeVariable", "exclusive", "followUpDate", "formKey", "formRef", "formRefBinding",
          "formRefVersion", "historyTimeToLive", "initiator", "isStartableInTasklist", "jobPriority",
          "modelerTemplate", "modelerTemplateIcon", "modelerTemplateVersion", "priority", "resultVariable",
          "taskPriority", "topic", "versionTag");

  private static final Set<String> ELEMENTS =
      Set.of(
          "entry", "errorEventDefinition", "failedJobRetryTimeCycle", "in", "inputOutput", "inputParameter", "list",
          "map", "out", "outputParameter", "potentialStarter", "properties", "property", "value");

  private static final Set<String> FORBIDDEN_BPMN = Set.of("scriptTask", "script", "businessRuleTask");

  @Override
  public void parseRootElement(Element root, List<ProcessDefinitionEntity> definitions) {
    if (!DeploymentGate.isDeploying()) {
      return;
    }
    var found = new ArrayList<String>();
    walk(root, "?", found);
    if (!found.isEmpty()) {
      throw new Refusal("Схема не принята: " + String.join("; ", found));
    }
  }

  private static void walk(Element element, String owner, List<String> found) {
    String id = element.attribute("id") == null ? owner : element.attribute("id");
    boolean extension = EXTENSION_URIS.contains(element.getUri());
    if (extension && !ELEMENTS.contains(element.getTagName())) {
      found.add(id + ": элемент " + element.getTagName() + " не разрешён");
    }
    if (BpmnParser.BPMN20_NS.equals(element.getUri()) && FORBIDDEN_BPMN.contains(element.getTagName())) {
      found.add(id + ": элемент " + element.getTagName() + " не разрешён");
    }
    attributes(element, id, extension, found);
    if (!ModelGrammar.allows(element.getText())) {
      found.add(id + ": выражение «" + Shown.value(element.getText()) + "» не разрешено");
    }
    element.elements().forEach(child -> walk(child, id, found));
  }

  private static void attributes(Element element, String id, boolean extension, List<String> found) {
    for (String key : element.attributes()) {
      String uri = EXTENSION_URIS.stream().filter(each -> key.startsWith(each + ":")).findFirst().orElse(null);
      String name = uri == null ? key : key.substring(uri.length() + 1);
      String value = element.attribute(key);
      if (uri != null && !isAllowed(element, name, value)) {
        found.add(id + ": свойство " + name + "=«" + Shown.value(value) + "» не разрешено");
      }
      boolean script = name.equals("language") && element.getTagName().equals("conditionExpression");
      if (script || !ModelGrammar.allows(value)) {
        found.add(id + ": выражение «" + Shown.value(value) + "» не разрешено");
      }
    }
  }

  private static boolean isAllowed(Element element, String name, String value) {
    return switch (name) {
      case "type" -> value.equals("external");
      case "expression" -> value.equals("${readyDate.move(execution)}") || isErrorMapping(element);
      default -> ATTRIBUTES.contains(name);
    };
  }

  private static boolean isErrorMapping(Element element) {
    return element.getTagName().equals("errorEventDefinition");
  }
}
