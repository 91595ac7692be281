package orderroute;

import java.util.Arrays;
import java.util.List;

/** Reading of properties: lists are separated by commas, an empty property means absent. */
final class Texts {

  private Texts() {}

  static List<String> list(String text) {
    if (text == null) {
      return List.of();
    }
    return Arrays.stream(text.split(",")).map(String::strip).filter(part -> !part.isEmpty()).toList();
  }
}
