package orderroute;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import java.sql.SQLException;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import org.operaton.bpm.engine.impl.cfg.ProcessEngineConfigurationImpl;
import org.operaton.bpm.engine.impl.util.ClockUtil;
import org.operaton.bpm.engine.rest.util.EngineUtil;

/** Tells which engine this is: the id that its database got when it was made, versions, clock, size, clean-up. */
@Path("/order/identity")
public class IdentityRoute {

  @GET
  @Produces(MediaType.APPLICATION_JSON)
  public Map<String, Object> read() throws SQLException {
    var engine = EngineUtil.lookupProcessEngine(null);
    AdminOnly.checkKeeper(engine);
    var configuration = (ProcessEngineConfigurationImpl) engine.getProcessEngineConfiguration();
    var answer = new LinkedHashMap<String, Object>();
    answer.put("id", configuration.getInstallationId());
    answer.put("java", Runtime.version().toString());
    answer.put("now", Instant.now().toString());
    answer.put("engineNow", ClockUtil.getCurrentTime().toInstant().toString());
    answer.put("cleanupFrom", configuration.getHistoryCleanupBatchWindowStartTime());
    answer.put("cleanupTo", configuration.getHistoryCleanupBatchWindowEndTime());
    try (var connection = configuration.getDataSource().getConnection()) {
      var about = connection.getMetaData();
      answer.put("database", about.getDatabaseProductName().toLowerCase(java.util.Locale.ROOT));
      answer.put("databaseVersion", about.getDatabaseProductVersion());
      answer.put("databaseBytes", size(connection, about.getURL()));
    }
    return answer;
  }

  private static Long size(java.sql.Connection connection, String url) throws SQLException {
    if (EmbeddedDatabase.isFile(url)) {
      return EmbeddedDatabase.file(url).length();
    }
    if (!url.startsWith("jdbc:postgresql:")) {
      return null;
    }
    try (var statement = connection.createStatement();
        var row = statement.executeQuery("SELECT pg_database_size(current_database())")) {
      return row.next() ? row.getLong(1) : null;
    }
  }
}
