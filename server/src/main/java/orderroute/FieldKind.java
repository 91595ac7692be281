package orderroute;

import java.util.Locale;

/** Types of a form field: the word before the first semicolon of a field property. */
enum FieldKind {
  LINE,
  TEXT,
  CHOICE,
  SUM,
  DATE,
  MOMENT,
  FILE,
  FILES;

  boolean holdsFiles() {
    return this == FILE || this == FILES;
  }

  static FieldKind of(String word) {
    for (FieldKind kind : values()) {
      if (kind.name().toLowerCase(Locale.ROOT).equals(word)) {
        return kind;
      }
    }
    throw new IllegalArgumentException("неизвестный тип поля «" + word + "»");
  }
}
