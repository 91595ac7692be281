package orderroute;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/** Names of persons whom an order's history knows by their ids; only for who may read it. Nothing else of them. */
@RestController
class PeopleRoute {

  private static final int MOST = 200;

  private final ProcessEngine engine;

  PeopleRoute(ProcessEngine engine) {
    this.engine = engine;
  }

  @GetMapping("/operaton/app/cockpit/default/people")
  ResponseEntity<Map<String, String>> names(@RequestParam("order") String order, @RequestParam("id") List<String> ids) {
    if (engine.getIdentityService().getCurrentAuthentication() == null) {
      return ResponseEntity.status(HttpStatus.UNAUTHORIZED).build();
    }
    if (ids.size() > MOST) {
      return ResponseEntity.badRequest().build();
    }
    // As the caller: the engine counts only what that person may read.
    if (engine.getHistoryService().createHistoricProcessInstanceQuery().processInstanceId(order).count() == 0) {
      return ResponseEntity.notFound().build();
    }
    var configuration = (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
    var found =
        configuration
            .getCommandExecutorTxRequired()
            .execute(
                context -> {
                  Map<String, String> named = new LinkedHashMap<>();
                  ids.forEach(id -> named.put(id, People.name(id)));
                  return named;
                });
    return ResponseEntity.ok().cacheControl(CacheControl.noStore()).body(found);
  }
}
