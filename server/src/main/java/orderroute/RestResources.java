package orderroute;

import org.operaton.bpm.spring.boot.starter.rest.OperatonJerseyResourceConfig;
import org.springframework.stereotype.Component;

/** The engine's REST interface and our own routes beside it. */
@Component
class RestResources extends OperatonJerseyResourceConfig {

  @Override
  protected void registerAdditionalResources() {
    register(DueDateRoute.class);
    register(GuaranteesRoute.class);
    register(IdentityRoute.class);
    register(BackupRoute.class);
    register(EraseRoute.class);
    register(StepsRoute.class);
  }
}
