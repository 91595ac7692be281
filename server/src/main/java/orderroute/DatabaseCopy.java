package orderroute;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Comparator;
import java.util.zip.ZipInputStream;

/**
 * A copy of the H2 file that anybody who holds it can open (empty password: the real one is no business of a backup),
 * without the room that deleted rows leave behind. The file that is in use is only read.
 */
final class DatabaseCopy {

  /** Beside the database, made and removed here; what is in it after a crash is thrown away by the next copy. */
  static final String FOLDER = "engine.copy";

  static final String NO_PASSWORD = "";

  private DatabaseCopy() {}

  /** Copies the database while it works; H2 copies it as of one moment. */
  static Path ofRunning(Connection connection, String url, String user, String password) throws SQLException {
    Path folder = emptyFolder(url);
    Path packed = folder.resolve("packed.zip");
    try (var statement = connection.prepareStatement("BACKUP TO ?")) {
      statement.setString(1, packed.toString());
      statement.execute();
    }
    Path copy = folder.resolve("engine.mv.db");
    try (var zip = new ZipInputStream(Files.newInputStream(packed))) {
      zip.getNextEntry();
      Files.copy(zip, copy);
      Files.delete(packed);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return opened(copy, url, user, password);
  }

  /** Copies the file of a server that does not run. */
  static Path ofStopped(String url, String user, String password) throws SQLException {
    Path copy = emptyFolder(url).resolve("engine.mv.db");
    try {
      Files.copy(EmbeddedDatabase.file(url).toPath(), copy, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
    return opened(copy, url, user, password);
  }

  private static Path opened(Path copy, String url, String user, String password) throws SQLException {
    keepPrivate(copy);
    String name = copy.toString().replaceFirst("\\.mv\\.db$", "");
    try (Connection own = DriverManager.getConnection("jdbc:h2:file:" + name + ";CACHE_SIZE=16384", user, password);
        var statement = own.createStatement()) {
      statement.execute("ALTER USER " + quoted(user) + " SET PASSWORD ''");
      statement.execute("SHUTDOWN COMPACT");
    }
    keepPrivate(copy);
    return copy;
  }

  static String quoted(String user) {
    return '"' + user.toUpperCase(java.util.Locale.ROOT).replace("\"", "\"\"") + '"';
  }

  private static Path emptyFolder(String url) {
    Path folder = EmbeddedDatabase.file(url).toPath().toAbsolutePath().resolveSibling(FOLDER);
    try {
      if (Files.exists(folder)) {
        try (var old = Files.walk(folder)) {
          for (Path each : old.sorted(Comparator.reverseOrder()).toList()) {
            Files.delete(each);
          }
        }
      }
      return Files.createDirectory(folder);
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  private static void keepPrivate(Path file) {
    try {
      if (Files.getFileStore(file).supportsFileAttributeView("posix")) {
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
      }
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
