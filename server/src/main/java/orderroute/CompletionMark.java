package orderroute;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import org.operaton.bpm.engine.delegate.DelegateTask;
import org.operaton.bpm.engine.delegate.TaskListener;
import org.springframework.stereotype.Component;

/** A completed stage says who did it and when (done_…); a completion that passed no gate is refused. */
@Component
class CompletionMark implements TaskListener {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final PlantClock clock;

  CompletionMark(PlantClock clock) {
    this.clock = clock;
  }

  @Override
  public void notify(DelegateTask task) {
    Judged judged = Judged.current();
    if (judged == null || !judged.isTask(task.getId())) {
      throw new Refusal("Этот шаг завершается только его формой");
    }
    String step = task.getTaskDefinitionKey();
    String person = Caller.current().id();
    task.setVariable("done_" + step, done(person, StandIns.of(task, person)));
    if (task.getVariable("refusal_" + step) != null) {
      task.setVariable("refusal_" + step, null);
    }
  }

  private String done(String person, String instead) {
    var done = new LinkedHashMap<String, String>();
    done.put("person", person);
    done.put("name", People.name(person));
    done.put("at", clock.now().truncatedTo(ChronoUnit.SECONDS).toString());
    if (instead != null) {
      done.put("for", instead);
      done.put("forName", People.name(instead));
    }
    try {
      return JSON.writeValueAsString(done);
    } catch (JsonProcessingException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
