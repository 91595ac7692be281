package orderroute;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.rest.util.EngineUtil;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/** Copies the H2 file while the engine works. The caller names no path: the copy stands beside the database. */
@Component
@Path("/order/backup")
public class BackupRoute {

  private static final ReentrantLock ONE_AT_A_TIME = new ReentrantLock();

  private final Environment settings;

  BackupRoute(Environment settings) {
    this.settings = settings;
  }

  @POST
  @Produces(MediaType.APPLICATION_JSON)
  public Map<String, Object> make(@Context HttpServletRequest request) throws SQLException, IOException {
    var engine = EngineUtil.lookupProcessEngine(null);
    AdminOnly.checkNear(engine, request);
    String url = settings.getRequiredProperty("spring.datasource.url");
    if (!EmbeddedDatabase.isFile(url)) {
      throw new RefusalAnswer(new Refusal("База движка не H2: её копию делает сама база (pg_dump)"));
    }
    if (!ONE_AT_A_TIME.tryLock()) {
      throw new RefusalAnswer(new Refusal("Копия базы движка уже делается: подождите"));
    }
    var source = ((ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration()).getDataSource();
    try (var connection = source.getConnection()) {
      var copy =
          DatabaseCopy.ofRunning(
              connection,
              url,
              settings.getRequiredProperty("spring.datasource.username"),
              settings.getRequiredProperty("spring.datasource.password"));
      return Map.of("file", DatabaseCopy.FOLDER + "/" + copy.getFileName(), "bytes", Files.size(copy));
    } finally {
      ONE_AT_A_TIME.unlock();
    }
  }
}
