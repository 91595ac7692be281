package orderroute;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.Map;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.history.HistoryLevel;
import org.operaton.bpm.engine.rest.util.EngineUtil;

/** Tells by which rules this engine runs, so that the operator's check sees a stock engine or a switched-off rule. */
@Path("/order/guarantees")
public class GuaranteesRoute {

  @GET
  @Produces(MediaType.APPLICATION_JSON)
  public Map<String, Boolean> read() {
    var configuration =
        (ProcessEngineConfigurationImpl) EngineUtil.lookupProcessEngine(null).getProcessEngineConfiguration();
    var interceptors = configuration.getCustomPreCommandInterceptorsTxRequired();
    return Map.of(
        "authorization", configuration.isAuthorizationEnabled(),
        "fullHistory", HistoryLevel.HISTORY_LEVEL_FULL.equals(configuration.getHistoryLevel()),
        "gates", hasGates(interceptors) || hasGates(configuration.getCustomPostCommandInterceptorsTxRequired()));
  }

  private static boolean hasGates(java.util.List<?> interceptors) {
    return interceptors != null && interceptors.stream().anyMatch(GateInterceptor.class::isInstance);
  }
}
