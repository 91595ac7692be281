package orderroute;

import java.util.HashMap;
import java.util.Map;
import org.operaton.bpm.engine.impl.ProcessInstantiationBuilderImpl;
import org.operaton.bpm.engine.impl.cmd.GetDeployedProcessDefinitionCmd;
import org.operaton.bpm.engine.impl.cmd.StartProcessInstanceCmd;
import org.operaton.bpm.engine.impl.cmd.SubmitStartFormCmd;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.persistence.entity.ProcessDefinitionEntity;
import org.operaton.bpm.engine.variable.Variables;
import org.springframework.stereotype.Component;

/** A start carries what its form demands and nothing else, as its true initiator, once, under a key that its caller may give. */
@Component
class StartGate implements Gate {

  private static final String INITIATOR = "initiator";
  private static final String START_KEY = "startKey";
  private static final int LONGEST_START_KEY = 64;

  private final AnswerJudge judge;
  private final OrderNumbers numbers;
  private final StartKeys startKeys;
  private final SupportGate support;

  StartGate(AnswerJudge judge, OrderNumbers numbers, StartKeys startKeys, SupportGate support) {
    this.judge = judge;
    this.numbers = numbers;
    this.startKeys = startKeys;
    this.support = support;
  }

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof StartProcessInstanceCmd || command instanceof SubmitStartFormCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    ProcessDefinitionEntity definition = definition(command);
    Form form = definition == null ? null : Model.start(definition);
    if (form == null) {
      return go.on();
    }
    checkMayStart(definition);
    Caller caller = Caller.current();
    Map<String, Object> sent = new HashMap<>(orEmpty(sent(command)));
    checkInitiator(sent, caller);
    String startKey = takeStartKey(sent);
    String key = key(command);
    OrderKeys.check(key, caller);
    if (key != null && isComplaint(definition)) {
      throw new Refusal("Номер рекламации присваивает программа: оставьте его пустым");
    }
    var values = judge.judge(form, Answer.of(typed(sent)), name -> null);
    values.putAll(support.judge(definition.getKey(), values, caller));
    String number = key == null ? number(definition) : null;
    if (startKey != null) {
      startKeys.take(startKey, key == null ? number : key);
    }
    replace(command, values);
    Judged.open(Judged.start(definition.getId(), number));
    try {
      return go.on();
    } finally {
      Judged.close();
    }
  }

  private String number(ProcessDefinitionEntity definition) {
    if (Model.isOrder(definition)) {
      return numbers.next(NumberSeries.ORDER);
    }
    return isComplaint(definition) ? numbers.next(NumberSeries.COMPLAINT) : null;
  }

  private static boolean isComplaint(ProcessDefinitionEntity definition) {
    return NumberSeries.COMPLAINT_PROCESS.equals(definition.getKey());
  }

  private static ProcessDefinitionEntity definition(Command<?> command) {
    var context = Context.getCommandContext();
    if (command instanceof StartProcessInstanceCmd) {
      return new GetDeployedProcessDefinitionCmd(builder(command), false).execute(context);
    }
    var id = (String) CommandFields.get(command, "processDefinitionId");
    return context.getProcessEngineConfiguration().getDeploymentCache().findDeployedProcessDefinitionById(id);
  }

  /** A wrong person gets the engine's own answer, not the gate's. */
  private static void checkMayStart(ProcessDefinitionEntity definition) {
    for (var checker : Context.getProcessEngineConfiguration().getCommandCheckers()) {
      checker.checkCreateProcessInstance(definition);
    }
  }

  /** The engine writes the initiator before the caller's variables, so a caller could write another one over it. */
  private static void checkInitiator(Map<String, Object> sent, Caller caller) {
    if (!sent.containsKey(INITIATOR)) {
      return;
    }
    Object claimed = Answer.of(typed(Map.of(INITIATOR, sent.remove(INITIATOR)))).value(INITIATOR);
    if (!caller.isEngine() && !caller.id().equals(claimed)) {
      throw new Refusal("Заявку можно подать только от своего имени");
    }
  }

  private static String takeStartKey(Map<String, Object> sent) {
    if (!sent.containsKey(START_KEY)) {
      return null;
    }
    Object key = Answer.of(typed(Map.of(START_KEY, sent.remove(START_KEY)))).value(START_KEY);
    if (key != null && !(key instanceof String text && text.length() <= LONGEST_START_KEY && text.indexOf('\0') < 0)) {
      throw new Refusal("Ключ формы (startKey) длиннее 64 знаков");
    }
    return (String) key;
  }

  private static ProcessInstantiationBuilderImpl builder(Command<?> command) {
    return (ProcessInstantiationBuilderImpl) CommandFields.get(command, "instantiationBuilder");
  }

  private static Map<String, Object> sent(Command<?> command) {
    return command instanceof StartProcessInstanceCmd
        ? builder(command).getVariables()
        : CommandFields.map(command, "variables");
  }

  private static Map<String, Object> orEmpty(Map<String, Object> sent) {
    return sent == null ? Map.of() : typed(sent);
  }

  private static Map<String, Object> typed(Map<String, Object> sent) {
    Map<String, Object> values = new HashMap<>();
    for (String name : sent.keySet()) {
      values.put(
          name,
          sent instanceof org.operaton.bpm.engine.variable.VariableMap map ? map.getValueTyped(name) : sent.get(name));
    }
    return values;
  }

  private static String key(Command<?> command) {
    String key =
        command instanceof StartProcessInstanceCmd
            ? builder(command).getBusinessKey()
            : (String) CommandFields.get(command, "businessKey");
    return key == null || key.isEmpty() ? null : key;
  }

  private static void replace(Command<?> command, Map<String, Object> values) {
    var variables = Variables.createVariables();
    values.forEach(variables::put);
    if (command instanceof SubmitStartFormCmd) {
      CommandFields.set(command, "variables", variables);
      return;
    }
    Map<String, Object> given = builder(command).getVariables();
    if (given != null) {
      given.clear();
    }
    builder(command).setVariables(variables);
  }
}
