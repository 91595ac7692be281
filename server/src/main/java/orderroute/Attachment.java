package orderroute;

import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.operaton.bpm.engine.variable.Variables;
import org.operaton.bpm.engine.variable.impl.value.FileValueImpl;
import org.operaton.bpm.engine.variable.value.FileValue;

/** A file is kept byte for byte; its name is NFC and harmless, and its type comes from the name, never from the browser. */
final class Attachment {

  private static final String UNKNOWN_TYPE = "application/octet-stream";
  private static final Map<String, String> TYPES =
      Map.ofEntries(
          Map.entry("pdf", "application/pdf"),
          Map.entry("dwg", "image/vnd.dwg"),
          Map.entry("dxf", "image/vnd.dxf"),
          Map.entry("step", "model/step"),
          Map.entry("stp", "model/step"),
          Map.entry("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
          Map.entry("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
          Map.entry("ods", "application/vnd.oasis.opendocument.spreadsheet"),
          Map.entry("odt", "application/vnd.oasis.opendocument.text"),
          Map.entry("jpg", "image/jpeg"),
          Map.entry("jpeg", "image/jpeg"),
          Map.entry("png", "image/png"),
          Map.entry("webp", "image/webp"),
          Map.entry("heic", "image/heic"));

  private Attachment() {}

  static FileValue normalise(Field field, FileValue file) {
    byte[] bytes = bytes(field, file);
    if (bytes.length == 0) {
      throw new Refusal("«" + field.label() + "»: файл «" + Shown.value(file.getFilename()) + "» пуст");
    }
    String name = FileName.clean(file.getFilename());
    return Variables.fileValue(name).file(bytes).mimeType(TYPES.getOrDefault(FileName.ending(name), UNKNOWN_TYPE)).create();
  }

  static long size(FileValue file) {
    try (InputStream bytes = file.getValue()) {
      return bytes == null ? 0 : bytes.available();
    } catch (IOException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static byte[] bytes(Field field, FileValue file) {
    if (file instanceof FileValueImpl held && held.getByteArray() != null) {
      return held.getByteArray();
    }
    try (InputStream content = file.getValue()) {
      return content == null ? new byte[0] : content.readAllBytes();
    } catch (IOException error) {
      throw new Refusal("«" + field.label() + "»: файл не удалось прочесть, приложите его снова");
    }
  }
}
