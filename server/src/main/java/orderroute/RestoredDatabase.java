package orderroute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import org.operaton.bpm.engine.ProcessEngine;
import org.operaton.bpm.engine.identity.User;

/**
 * The first start on a database that came out of a backup. A note beside the H2 file says so and names the highest order
 * number that was given out since: those numbers stand on cards and papers and are not given out again.
 */
final class RestoredDatabase {

  private static final String NOTE = "engine.restored";

  private RestoredDatabase() {}

  /** A copy has no password: gives it this server's, before anything else opens the file. */
  static void open(String url, Map<String, String> environment) {
    if (!Files.exists(note(url))) {
      return;
    }
    String user = environment.get("SPRING_DATASOURCE_USERNAME");
    String password = environment.get("SPRING_DATASOURCE_PASSWORD");
    try (var connection = DriverManager.getConnection(url, user, DatabaseCopy.NO_PASSWORD);
        var statement = connection.createStatement()) {
      statement.execute(
          "ALTER USER " + DatabaseCopy.quoted(user) + " SET PASSWORD '" + password.replace("'", "''") + "'");
      statement.execute("SHUTDOWN");
    } catch (SQLException error) {
      if (error.getErrorCode() != org.h2.api.ErrorCode.WRONG_USER_OR_PASSWORD) {
        throw new IllegalStateException("The restored H2 file cannot be opened: " + error.getMessage(), error);
      }
      // An earlier start got this far and was killed: the password is set already.
    }
  }

  /** Ends the restore inside the engine: the administrator's password is this server's, and numbers go on. */
  static void finish(String url, ProcessEngine engine, OrderNumbers numbers, String admin, String password) {
    if (!EmbeddedDatabase.isFile(url) || !Files.exists(note(url))) {
      return;
    }
    try {
      for (String line : Files.readAllLines(note(url))) {
        String[] parts = line.strip().split("-");
        if (parts.length == 3 && parts[0].equals("ORD")) {
          numbers.goOnAfter(Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
        }
      }
      User user = engine.getIdentityService().createUserQuery().userId(admin).singleResult();
      if (user != null) {
        user.setPassword(password);
        engine.getIdentityService().saveUser(user);
        engine.getIdentityService().unlockUser(admin);
      }
      Files.delete(note(url));
    } catch (IOException error) {
      throw new IllegalStateException("The restore cannot be ended: " + error.getMessage(), error);
    }
  }

  private static Path note(String url) {
    return EmbeddedDatabase.file(url).toPath().toAbsolutePath().resolveSibling(NOTE);
  }
}
