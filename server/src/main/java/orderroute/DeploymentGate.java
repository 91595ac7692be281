package orderroute;

import java.util.Locale;
import org.operaton.bpm.engine.impl.cmd.DeployCmd;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.repository.DeploymentBuilderImpl;
import org.springframework.stereotype.Component;

/** Only diagrams, forms and pictures are deployed; what is being deployed is held to the model rules, old versions run on. */
@Component
class DeploymentGate implements Gate {

  private static final ThreadLocal<Boolean> DEPLOYING = ThreadLocal.withInitial(() -> false);
  private static final String[] EXECUTABLE = {".dmn", ".dmn11.xml", ".dmn13.xml", ".cmmn", ".cmmn10.xml", ".cmmn11.xml"};

  static boolean isDeploying() {
    return DEPLOYING.get();
  }

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof DeployCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    var builder = (DeploymentBuilderImpl) CommandFields.get(command, "deploymentBuilder");
    for (String name : builder.getResourceNames()) {
      for (String ending : EXECUTABLE) {
        if (name.toLowerCase(Locale.ROOT).endsWith(ending)) {
          throw new Refusal("Схема не принята: файл " + Shown.value(name) + " такого вида не разрешён");
        }
      }
    }
    DEPLOYING.set(true);
    try {
      return go.on();
    } finally {
      DEPLOYING.remove();
    }
  }
}
