package orderroute;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/** An H2 file is opened only with WRITE_DELAY=0 (else a killed server loses acknowledged work) and is compacted when it has grown. */
final class EmbeddedDatabase {

  private static final long COMPACT_ABOVE_BYTES = 64L << 20;
  private static final String FILE_PREFIX = "jdbc:h2:";
  private static final Pattern NO_DELAY = Pattern.compile(";WRITE_DELAY=0(;|$)", Pattern.CASE_INSENSITIVE);

  private EmbeddedDatabase() {}

  /** Refuses an unsafe address, compacts a large file and makes writers wait for each other instead of failing. */
  static void prepare(Map<String, String> environment) {
    String url = environment.getOrDefault("SPRING_DATASOURCE_URL", "");
    if (!isFile(url)) {
      return;
    }
    if (!NO_DELAY.matcher(url).find()) {
      throw new IllegalStateException(
          "The H2 file address must carry ;WRITE_DELAY=0 (without it a killed server loses acknowledged work):"
              + " add it to SPRING_DATASOURCE_URL");
    }
    RestoredDatabase.open(url, environment);
    if (hasGrown(file(url)) || Files.exists(wish(file(url)))) {
      compact(url, environment);
    }
    String more = "";
    if (!url.toUpperCase(Locale.ROOT).contains(";LOCK_TIMEOUT=")) {
      more += ";LOCK_TIMEOUT=20000";
    }
    if (!url.toUpperCase(Locale.ROOT).contains(";DB_CLOSE_ON_EXIT=")) {
      more += ";DB_CLOSE_ON_EXIT=FALSE"; // the engine ends first, the database after it
    }
    System.setProperty("spring.datasource.url", url + more);
  }

  static boolean isFile(String url) {
    return url.startsWith(FILE_PREFIX)
        && !url.startsWith("jdbc:h2:mem:")
        && !url.startsWith("jdbc:h2:tcp:")
        && !url.startsWith("jdbc:h2:ssl:");
  }

  /** The file behind the address. */
  static File file(String url) {
    String path = url.substring(FILE_PREFIX.length()).split(";", 2)[0];
    path = path.startsWith("file:") ? path.substring("file:".length()) : path;
    return new File(path.replaceFirst("^~", System.getProperty("user.home")) + ".mv.db");
  }

  /** Erased rows stay in the file until it is written anew: the next start does it, whatever the size. */
  static void compactAtNextStart(String url) {
    if (isFile(url)) {
      try {
        Files.writeString(wish(file(url)), "");
      } catch (IOException error) {
        throw new IllegalStateException("The folder of the H2 file cannot be written: " + error.getMessage(), error);
      }
    }
  }

  private static Path wish(File file) {
    return Path.of(file.getPath().replaceFirst("\\.mv\\.db$", ".compact"));
  }

  /** A file that compacting made smaller is compacted again only when it has doubled: what it holds now is orders. */
  private static boolean hasGrown(File file) {
    return file.length() > Math.max(COMPACT_ABOVE_BYTES, 2 * sizeAfterLast(file));
  }

  private static long sizeAfterLast(File file) {
    try {
      return Long.parseLong(Files.readString(note(file)).strip());
    } catch (IOException | NumberFormatException neverCompacted) {
      return 0;
    }
  }

  private static Path note(File file) {
    return Path.of(file.getPath().replaceFirst("\\.mv\\.db$", ".compacted"));
  }

  private static void compact(String url, Map<String, String> environment) {
    String user = environment.get("SPRING_DATASOURCE_USERNAME");
    String password = environment.get("SPRING_DATASOURCE_PASSWORD");
    try (var connection = DriverManager.getConnection(url, user, password);
        var statement = connection.createStatement()) {
      statement.execute("SHUTDOWN COMPACT");
    } catch (SQLException error) {
      throw new IllegalStateException("The H2 file cannot be opened to compact it: " + error.getMessage(), error);
    }
    File file = file(url);
    try {
      Files.writeString(note(file), Long.toString(file.length()));
      Files.deleteIfExists(wish(file));
    } catch (IOException error) {
      throw new IllegalStateException("The folder of the H2 file cannot be written: " + error.getMessage(), error);
    }
  }
}
