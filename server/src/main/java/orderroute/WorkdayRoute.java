package orderroute;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.context.Context;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * When the plant closes, for the form's promises: {@code {"ends": "18:00", "other": {"2026-12-31": "17:00"}}}, as it was
 * published last beside the diagrams. Nothing is known before that: then the answer is empty.
 */
@RestController
class WorkdayRoute {

  private static final String NAME = "working-day";
  private static final String FILE = "working-day.json";

  private final ProcessEngine engine;

  WorkdayRoute(ProcessEngine engine) {
    this.engine = engine;
  }

  @GetMapping("/operaton/app/tasklist/default/working-day")
  ResponseEntity<String> read() {
    if (engine.getIdentityService().getCurrentAuthentication() == null) {
      return ResponseEntity.status(HttpStatus.UNAUTHORIZED).build();
    }
    var configuration = (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
    String found =
        configuration
            .getCommandExecutorTxRequired()
            .execute(context -> Context.getCommandContext().runWithoutAuthorization(this::published));
    return ResponseEntity.ok()
        .contentType(new MediaType(MediaType.APPLICATION_JSON, StandardCharsets.UTF_8))
        .cacheControl(CacheControl.noStore())
        .body(found);
  }

  private String published() {
    var repository = engine.getRepositoryService();
    var newest = repository.createDeploymentQuery().deploymentName(NAME).orderByDeploymentTime().desc().listPage(0, 1);
    if (newest.isEmpty()) {
      return "{}";
    }
    try (var stream = repository.getResourceAsStream(newest.get(0).getId(), FILE)) {
      return new String(stream.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException error) {
      throw new IllegalStateException(error);
    }
  }
}
