package orderroute;

import java.util.ArrayList;
import java.util.List;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.impl.bpmn.parser.BpmnParseListener;
import org.operaton.bpm.engine.impl.cfg.AbstractProcessEnginePlugin;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.interceptor.CommandInterceptor;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** Hangs the rules of the order route into the engine before it is built. */
@Component
class GatePlugin extends AbstractProcessEnginePlugin {

  private final List<Gate> gates;
  private final List<BpmnParseListener> parseListeners;
  private final OrderNumbers numbers;
  private final StartKeys startKeys;
  private final HistoricRights historicRights;
  private final Environment settings;

  GatePlugin(
      List<Gate> gates,
      List<BpmnParseListener> parseListeners,
      OrderNumbers numbers,
      StartKeys startKeys,
      HistoricRights historicRights,
      Environment settings) {
    this.gates = gates;
    this.parseListeners = parseListeners;
    this.numbers = numbers;
    this.startKeys = startKeys;
    this.historicRights = historicRights;
    this.settings = settings;
  }

  @Override
  public void preInit(ProcessEngineConfigurationImpl configuration) {
    configuration.setResourceAuthorizationProvider(new OwnRights());
    configuration.setCustomPreCommandInterceptorsTxRequired(
        with(configuration.getCustomPreCommandInterceptorsTxRequired(), new RefusalBoundary()));
    configuration.setCustomPostCommandInterceptorsTxRequired(
        with(configuration.getCustomPostCommandInterceptorsTxRequired(), new GateInterceptor(gates)));
    List<BpmnParseListener> listeners = configuration.getCustomPostBPMNParseListeners();
    listeners = listeners == null ? new ArrayList<>() : listeners;
    listeners.addAll(parseListeners);
    configuration.setCustomPostBPMNParseListeners(listeners);
  }

  @Override
  public void postProcessEngineBuild(ProcessEngine engine) {
    numbers.createTable();
    startKeys.createTable();
    historicRights.removeOld();
    RestoredDatabase.finish(
        settings.getRequiredProperty("spring.datasource.url"),
        engine,
        numbers,
        settings.getRequiredProperty("operaton.bpm.admin-user.id"),
        settings.getRequiredProperty("operaton.bpm.admin-user.password"));
  }

  private static List<CommandInterceptor> with(List<CommandInterceptor> given, CommandInterceptor ours) {
    var all = given == null ? new ArrayList<CommandInterceptor>() : new ArrayList<>(given);
    all.add(ours);
    return all;
  }
}
