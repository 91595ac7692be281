package orderroute;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.springframework.core.io.ClassPathResource;
import org.springframework.http.CacheControl;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * Cockpit's labels in Russian: its frame in words of its own, what says the same as in the Tasklist as it is said there.
 *
 * <p>The engine's own pages for single processes and batches keep their English words: nobody but operators opens them.
 */
@RestController
class CockpitLocale {

  private static final String PAGES = "META-INF/resources/webjars/operaton/app/";
  private static final String LABELS = "labels";

  private final String text;

  CockpitLocale(ObjectMapper json) throws IOException {
    var english = read(json, PAGES + "cockpit/locales/en.json");
    var theirs = read(json, PAGES + "tasklist/locales/en.json").get(LABELS);
    var said = read(json, PAGES + "tasklist/locales/ru.json");
    var own = read(json, "cockpit-ru.json");
    var labels = (ObjectNode) english.get(LABELS);
    for (var each : english.get(LABELS).properties().toArray(java.util.Map.Entry[]::new)) {
      var name = (String) each.getKey();
      if (own.has(name)) {
        labels.set(name, own.get(name));
      } else if (said.get(LABELS).has(name) && each.getValue().equals(theirs.get(name))) {
        labels.set(name, said.get(LABELS).get(name));
      }
    }
    english.set("dateLocales", said.get("dateLocales"));
    this.text = json.writeValueAsString(english);
  }

  @GetMapping("/operaton/app/cockpit/locales/ru.json")
  ResponseEntity<String> labels() {
    return ResponseEntity.ok()
        .contentType(new MediaType(MediaType.APPLICATION_JSON, StandardCharsets.UTF_8))
        .cacheControl(CacheControl.noCache())
        .body(text);
  }

  /** The pages' files may begin with a mark of their encoding. */
  private static ObjectNode read(ObjectMapper json, String path) throws IOException {
    var text = new ClassPathResource(path).getContentAsString(StandardCharsets.UTF_8);
    JsonNode found = json.readTree(text.startsWith("\ufeff") ? text.substring(1) : text);
    return (ObjectNode) found;
  }
}
