package orderroute;

import java.text.Normalizer;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A file's name as browsers send it may hold anything; it is only ever shown, never used as a path.
 *
 * <p>The worker's judge has the same rule, so that a file has one name in the engine, on the card and on the Drive:
 * NFC, no path, control or bidi characters, at most 200 characters before the ending. Nothing in it is decoded.
 */
final class FileName {

  private static final int LONGEST_STEM = 200;
  private static final int LONGEST_ENDING = 16;
  private static final int MOST_READ = 4096;
  private static final String UNNAMED = "файл";
  private static final Pattern INVISIBLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Zl}\\p{Zp}]");
  private static final Pattern REFUSED_BY_DISKS = Pattern.compile("[<>:\"|?*]");
  private static final Pattern DEVICE = Pattern.compile("(?i)(con|prn|aux|nul|(com|lpt)[1-9])");

  private FileName() {}

  static String clean(String given) {
    String name = INVISIBLE.matcher(lastPart(given == null ? "" : given)).replaceAll("");
    name = name.replace('\\', '/').replaceAll("[/ ]+$", "");
    name = REFUSED_BY_DISKS.matcher(name.substring(name.lastIndexOf('/') + 1)).replaceAll("_");
    return composed(trimmed(Normalizer.normalize(name, Normalizer.Form.NFC)));
  }

  /** The ending of a clean name in lower case, without the dot; empty if there is none. */
  static String ending(String name) {
    int dot = name.lastIndexOf('.');
    String ending = dot < 0 ? "" : name.substring(dot + 1);
    boolean none = ending.codePointCount(0, ending.length()) > LONGEST_ENDING || ending.matches("(?s).*\\p{Zs}.*");
    return none ? "" : ending.toLowerCase(Locale.ROOT);
  }

  private static String composed(String name) {
    int length = ending(name).isEmpty() ? 0 : name.length() - name.lastIndexOf('.');
    String ending = name.substring(name.length() - length);
    String stem = cut(name.substring(0, name.length() - length).replaceAll("^[. ]+", "")).replaceAll("[. ]+$", "");
    if (stem.isEmpty()) {
      stem = UNNAMED;
    } else if (DEVICE.matcher(stem.split("\\.", 2)[0].replaceAll("\\p{Zs}+$", "")).matches()) {
      stem = cut("_" + stem);
    }
    return stem + ending;
  }

  /** Cuts at a letter: a mark that belongs to the letter before is never left without it. */
  private static String cut(String stem) {
    if (stem.codePointCount(0, stem.length()) <= LONGEST_STEM) {
      return stem;
    }
    int end = stem.offsetByCodePoints(0, LONGEST_STEM);
    while (end > 1 && isMark(stem.codePointAt(end))) {
      end = stem.offsetByCodePoints(end, -1);
    }
    return stem.substring(0, end);
  }

  private static boolean isMark(int letter) {
    int type = Character.getType(letter);
    return type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.COMBINING_SPACING_MARK;
  }

  private static String lastPart(String given) {
    int count = given.codePointCount(0, given.length());
    return count <= MOST_READ ? given : given.substring(given.offsetByCodePoints(0, count - MOST_READ));
  }

  private static String trimmed(String name) {
    return name.replaceAll("^\\p{Zs}+", "").replaceAll("[.\\p{Zs}]+$", "");
  }
}
