package orderroute;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoUnit;
import java.util.Date;
import org.springframework.stereotype.Component;

/** A date is YYYY-MM-DD of the plant's calendar, a moment is ISO with offset; "future" and "past" are judged by the plant's clock. */
@Component
class Dates {

  private static final int FIRST_YEAR = 2000;
  private static final int LAST_YEAR = 2100;

  /** A browser's clock may run a little ahead of the server's. */
  private static final long TOLERANCE_SECONDS = 60;

  private static final DateTimeFormatter MOMENT =
      new DateTimeFormatterBuilder()
          .append(DateTimeFormatter.ISO_LOCAL_DATE)
          .appendLiteral('T')
          .append(DateTimeFormatter.ISO_LOCAL_TIME)
          .appendPattern("[XXX][XX]")
          .toFormatter();

  private final PlantClock clock;

  Dates(PlantClock clock) {
    this.clock = clock;
  }

  String date(Field field, Object value) {
    LocalDate date = readDate(field, value);
    inRange(field, date.getYear());
    if (field.options().contains("future") && !date.isAfter(clock.today())) {
      throw past(field);
    }
    if (field.options().contains("past") && date.isAfter(clock.today())) {
      throw future(field);
    }
    return date.toString();
  }

  String moment(Field field, Object value) {
    OffsetDateTime moment = readMoment(field, value).truncatedTo(ChronoUnit.SECONDS);
    inRange(field, moment.getYear());
    Instant instant = moment.toInstant();
    if (field.options().contains("future") && !instant.isAfter(clock.now())) {
      throw past(field);
    }
    if (field.options().contains("past") && instant.isAfter(clock.now().plusSeconds(TOLERANCE_SECONDS))) {
      throw future(field);
    }
    return DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ssxxx").format(moment);
  }

  private LocalDate readDate(Field field, Object value) {
    if (value instanceof Date date) {
      return date.toInstant().atZone(clock.zone()).toLocalDate();
    }
    try {
      return LocalDate.parse(String.valueOf(value).strip());
    } catch (DateTimeException error) {
      throw new Refusal("«" + field.label() + "»: нет такой даты «" + Shown.value(value) + "», нужна вида 2026-12-24");
    }
  }

  private OffsetDateTime readMoment(Field field, Object value) {
    if (value instanceof Date date) {
      return date.toInstant().atZone(clock.zone()).toOffsetDateTime();
    }
    try {
      return parsed(String.valueOf(value).strip());
    } catch (DateTimeException error) {
      throw new Refusal(
          "«" + field.label() + "»: нет такого времени «" + Shown.value(value) + "», нужно вида 2026-12-24T18:00:00+03:00");
    }
  }

  /** A moment with its offset, also in the engine's own writing (+0000); a text that is none throws DateTimeParseException. */
  static Instant instant(String text) {
    return parsed(text).toInstant();
  }

  private static OffsetDateTime parsed(String text) {
    return MOMENT.parse(text, Dates::withOffset);
  }

  private static OffsetDateTime withOffset(java.time.temporal.TemporalAccessor parsed) {
    return OffsetDateTime.of(java.time.LocalDateTime.from(parsed), ZoneOffset.from(parsed));
  }

  private static void inRange(Field field, int year) {
    if (year < FIRST_YEAR || year > LAST_YEAR) {
      throw new Refusal("«" + field.label() + "»: проверьте год");
    }
  }

  private static Refusal past(Field field) {
    return new Refusal("«" + field.label() + "»: срок должен быть в будущем");
  }

  private static Refusal future(Field field) {
    return new Refusal("«" + field.label() + "»: дата не может быть в будущем");
  }
}
