package orderroute;

import java.util.List;
import org.operaton.bpm.engine.history.HistoricProcessInstance;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.persistence.entity.ProcessDefinitionEntity;
import org.springframework.stereotype.Component;

/** Finds an order by its number whatever the caller may read: the running one, else the one that ended last. */
@Component
class OrderFinder {

  private static final int MOST = 100;

  FoundOrder find(String key) {
    return Context.getCommandContext().runWithoutAuthorization(() -> search(key.strip()));
  }

  private static FoundOrder search(String key) {
    var engine = Context.getProcessEngineConfiguration();
    List<HistoricProcessInstance> orders =
        engine
            .getHistoryService()
            .createHistoricProcessInstanceQuery()
            .processInstanceBusinessKey(key)
            .orderByProcessInstanceStartTime()
            .asc()
            .listPage(0, MOST)
            .stream()
            .filter(instance -> Model.isOrder(definition(engine, instance)))
            .toList();
    if (orders.isEmpty()) {
      return FoundOrder.none(key);
    }
    // Of a double start the first instance is the order; the later one ends as a duplicate.
    return orders.stream()
        .filter(instance -> instance.getEndTime() == null)
        .findFirst()
        .map(instance -> found(engine, instance, true))
        .orElseGet(() -> ended(engine, orders));
  }

  private static FoundOrder ended(ProcessEngineConfigurationImpl engine, List<HistoricProcessInstance> orders) {
    return orders.stream()
        .map(instance -> found(engine, instance, false))
        .filter(FoundOrder::shipped)
        .findFirst()
        .orElseGet(() -> found(engine, orders.get(0), false));
  }

  private static FoundOrder found(
      ProcessEngineConfigurationImpl engine, HistoricProcessInstance instance, boolean running) {
    var stages = Model.stages(definition(engine, instance));
    return new FoundOrder(
        instance.getBusinessKey(),
        instance.getId(),
        running,
        holds(engine, instance.getId(), "readyBy"),
        holds(engine, instance.getId(), "done_" + stages.get("payment")),
        holds(engine, instance.getId(), "done_" + stages.get("ship")));
  }

  private static boolean holds(ProcessEngineConfigurationImpl engine, String instanceId, String variable) {
    return engine
        .getHistoryService()
        .createHistoricVariableInstanceQuery()
        .processInstanceId(instanceId)
        .variableName(variable)
        .disableBinaryFetching()
        .listPage(0, 1)
        .stream()
        .anyMatch(value -> value.getValue() != null);
  }

  private static ProcessDefinitionEntity definition(
      ProcessEngineConfigurationImpl engine, HistoricProcessInstance instance) {
    return engine.getDeploymentCache().findDeployedProcessDefinitionById(instance.getProcessDefinitionId());
  }
}
