package orderroute;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.identity.User;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;
import org.operaton.bpm.engine.task.IdentityLink;
import org.operaton.bpm.engine.task.Task;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/**
 * What the form says of an open step beside the engine's own facts: the name of who has it, and for a head of its
 * department whom it can be handed to. Names only, and only to somebody who may read the step.
 */
@RestController
class StepRoute {

  private final ProcessEngine engine;

  StepRoute(ProcessEngine engine) {
    this.engine = engine;
  }

  @GetMapping("/operaton/app/tasklist/default/step/{id}")
  ResponseEntity<Map<String, Object>> read(@PathVariable("id") String id) {
    var configuration = (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
    if (engine.getIdentityService().getCurrentAuthentication() == null) {
      return ResponseEntity.status(HttpStatus.UNAUTHORIZED).build();
    }
    Map<String, Object> found = configuration.getCommandExecutorTxRequired().execute(context -> look(id));
    return found == null
        ? ResponseEntity.notFound().build()
        : ResponseEntity.ok().cacheControl(CacheControl.noStore()).body(found);
  }

  private Map<String, Object> look(String id) {
    Caller caller = Caller.current();
    Task task = engine.getTaskService().createTaskQuery().taskId(id).singleResult();
    if (task == null) {
      return null;
    }
    var said = new LinkedHashMap<String, Object>();
    said.put("holder", task.getAssignee());
    said.put("holderName", People.name(task.getAssignee()));
    said.put("members", members((TaskEntity) task, caller));
    return said;
  }

  private List<Map<String, String>> members(TaskEntity task, Caller caller) {
    if (!AssignmentRule.heads(task, caller)) {
      return List.of();
    }
    return Context.getCommandContext()
        .runWithoutAuthorization(
            () ->
                task.getCandidates().stream()
                    .map(IdentityLink::getGroupId)
                    .filter(java.util.Objects::nonNull)
                    .flatMap(group -> engine.getIdentityService().createUserQuery().memberOfGroup(group).list().stream())
                    .map(StepRoute::member)
                    .distinct()
                    .toList());
  }

  private static Map<String, String> member(User user) {
    return Map.of("id", user.getId(), "name", People.name(user));
  }
}
