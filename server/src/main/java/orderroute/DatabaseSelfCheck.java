package orderroute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Reads the write delay back from the open H2 file, refuses to serve with another one, and keeps the file private. */
@Component
class DatabaseSelfCheck implements InitializingBean {

  private final JdbcTemplate jdbc;
  private final String url;

  DatabaseSelfCheck(JdbcTemplate jdbc, @Value("${spring.datasource.url}") String url) {
    this.jdbc = jdbc;
    this.url = url;
  }

  @Override
  public void afterPropertiesSet() throws IOException {
    if (!EmbeddedDatabase.isFile(url)) {
      return;
    }
    var delay =
        jdbc.queryForList(
            "SELECT SETTING_VALUE FROM INFORMATION_SCHEMA.SETTINGS WHERE SETTING_NAME = 'WRITE_DELAY'", String.class);
    if (!delay.isEmpty() && !"0".equals(delay.get(0))) {
      throw new IllegalStateException(
          "The open H2 file has WRITE_DELAY=" + delay + ", it must be 0: add ;WRITE_DELAY=0 to SPRING_DATASOURCE_URL");
    }
    Path file = EmbeddedDatabase.file(url).toPath();
    if (Files.exists(file) && Files.getFileStore(file).supportsFileAttributeView("posix")) {
      Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
    }
  }
}
