package orderroute;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.history.HistoryLevel;
import org.operaton.bpm.engine.rest.util.EngineUtil;

/** Tells by which rules this engine runs, so that the operator's check sees a stock engine or a switched-off rule. */
@Path("/order/guarantees")
public class GuaranteesRoute {

  private static final Set<String> OWN = Set.of("", "nested", "jar:nested", "jar:file");

  @GET
  @Produces(MediaType.APPLICATION_JSON)
  public Map<String, Boolean> read() {
    var engine = EngineUtil.lookupProcessEngine(null);
    AdminOnly.checkKeeper(engine);
    var configuration = (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
    var interceptors = configuration.getCustomPreCommandInterceptorsTxRequired();
    return Map.of(
        "authorization", configuration.isAuthorizationEnabled(),
        "fullHistory", HistoryLevel.HISTORY_LEVEL_FULL.equals(configuration.getHistoryLevel()),
        "gates", hasGates(interceptors) || hasGates(configuration.getCustomPostCommandInterceptorsTxRequired()),
        "historyCleanup", hasText(configuration.getHistoryCleanupBatchWindowStartTime()),
        "jobRetries", "R5/PT5M".equals(configuration.getFailedJobRetryTimeCycle()),
        "ownSchemas", !configuration.isEnableXxeProcessing() && ownSchemasOnly());
  }

  private static boolean hasText(String value) {
    return value != null && !value.isBlank();
  }

  /** Schemas may be read from inside the server's own archive, and from nowhere else. */
  private static boolean ownSchemasOnly() {
    String allowed = System.getProperty("javax.xml.accessExternalSchema", "all");
    return Arrays.stream(allowed.split(",")).allMatch(protocol -> OWN.contains(protocol.strip()));
  }

  private static boolean hasGates(java.util.List<?> interceptors) {
    return interceptors != null && interceptors.stream().anyMatch(GateInterceptor.class::isInstance);
  }
}
