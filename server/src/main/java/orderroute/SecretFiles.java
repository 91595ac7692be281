package orderroute;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A password may come from a file that NAME_FILE names: containers hand secrets over like that. */
final class SecretFiles {

  private static final String SUFFIX = "_FILE";
  private static final List<String> NAMES = List.of("ORDER_ROUTE_ADMIN_PASSWORD", "SPRING_DATASOURCE_PASSWORD");

  private SecretFiles() {}

  /** The environment with the secrets in it; each is also made a system property, where the settings look it up. */
  static Map<String, String> read(Map<String, String> environment) {
    var all = new HashMap<>(environment);
    for (String name : NAMES) {
      String file = environment.getOrDefault(name + SUFFIX, "");
      if (file.isBlank()) {
        continue;
      }
      if (!environment.getOrDefault(name, "").isEmpty()) {
        throw new IllegalStateException("Both " + name + " and " + name + SUFFIX + " are set: leave one of them");
      }
      String secret = content(name, file);
      all.put(name, secret);
      System.setProperty(name, secret);
    }
    return all;
  }

  private static String content(String name, String file) {
    try {
      String secret = Files.readString(Path.of(file)).strip();
      if (!secret.isEmpty()) {
        return secret;
      }
    } catch (IOException unreadable) {
      // Said below: the file's name may be shown, what is in it may not.
    }
    throw new IllegalStateException(name + SUFFIX + " must name a readable file with the password: " + file);
  }
}
