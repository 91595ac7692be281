package orderroute;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/**
 * PostgreSQL may come up after the engine, and several engines share one: each waits for it by itself, and they start one
 * after the other, because two that make the tables at once spoil each other's start.
 */
final class ServerDatabase {

  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final long PAUSE_MILLIS = 500;
  private static final long START_LOCK = 7_231_451;
  private static final int TIMEOUT_SECONDS = 5;

  private ServerDatabase() {}

  /** Runs the start while holding the database's start lock; other databases than PostgreSQL need neither wait nor lock. */
  static void startInTurn(Map<String, String> environment, Runnable start) {
    String url = environment.getOrDefault("SPRING_DATASOURCE_URL", "");
    if (!url.startsWith("jdbc:postgresql:")) {
      start.run();
      return;
    }
    // Closing the connection, or the death of this process, gives the lock back.
    try (Connection turn = await(url, environment);
        var statement = turn.createStatement()) {
      statement.execute("SELECT pg_advisory_lock(" + START_LOCK + ")");
      start.run();
    } catch (SQLException error) {
      throw new IllegalStateException("The database ended the start: " + error.getMessage(), error);
    }
  }

  private static Connection await(String url, Map<String, String> environment) {
    Instant end = Instant.now().plus(PATIENCE);
    boolean said = false;
    DriverManager.setLoginTimeout(TIMEOUT_SECONDS);
    while (true) {
      try {
        return DriverManager.getConnection(
            url, environment.get("SPRING_DATASOURCE_USERNAME"), environment.get("SPRING_DATASOURCE_PASSWORD"));
      } catch (SQLException error) {
        if (refusedForGood(error) || Instant.now().isAfter(end)) {
          throw new IllegalStateException("The database cannot be used: " + error.getMessage(), error);
        }
        if (!said) {
          System.out.println("Waiting for the database: " + error.getMessage());
          said = true;
        }
        pause();
      }
    }
  }

  /** A wrong password or a missing database does not get better by waiting. */
  private static boolean refusedForGood(SQLException error) {
    String state = String.valueOf(error.getSQLState());
    return state.startsWith("28") || state.startsWith("3D");
  }

  private static void pause() {
    try {
      Thread.sleep(PAUSE_MILLIS);
    } catch (InterruptedException stopped) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Stopped while waiting for the database", stopped);
    }
  }
}
