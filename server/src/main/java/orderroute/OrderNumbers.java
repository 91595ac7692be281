package orderroute;

import org.operaton.bpm.engine.impl.context.Context;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;

/** Numbers ORD-YYYY-NNNNN come from one row per year in the engine's own transaction: none twice, none lost by a rollback. */
@Component
class OrderNumbers {

  private final JdbcTemplate jdbc;
  private final PlantClock clock;

  OrderNumbers(JdbcTemplate jdbc, PlantClock clock) {
    this.jdbc = jdbc;
    this.clock = clock;
  }

  void createTable() {
    jdbc.execute("CREATE TABLE IF NOT EXISTS ORDER_ROUTE_NUMBER (YEAR_ INTEGER PRIMARY KEY, LAST_ INTEGER NOT NULL)");
  }

  /** The next free number of the plant's present year; keys that came from outside are passed over. */
  String next() {
    int year = clock.today().getYear();
    if (jdbc.update("UPDATE ORDER_ROUTE_NUMBER SET LAST_ = LAST_ + 1 WHERE YEAR_ = ?", year) == 0) {
      jdbc.update("INSERT INTO ORDER_ROUTE_NUMBER (YEAR_, LAST_) VALUES (?, 1)", year);
    }
    String number = number(year);
    while (isTaken(number)) {
      jdbc.update("UPDATE ORDER_ROUTE_NUMBER SET LAST_ = LAST_ + 1 WHERE YEAR_ = ?", year);
      number = number(year);
    }
    return number;
  }

  private String number(int year) {
    Integer last = jdbc.queryForObject("SELECT LAST_ FROM ORDER_ROUTE_NUMBER WHERE YEAR_ = ?", Integer.class, year);
    return "ORD-%d-%05d".formatted(year, last);
  }

  private static boolean isTaken(String number) {
    var context = Context.getCommandContext();
    return context.runWithoutAuthorization(
            () ->
                context
                    .getProcessEngineConfiguration()
                    .getHistoryService()
                    .createHistoricProcessInstanceQuery()
                    .processInstanceBusinessKey(number)
                    .count())
        > 0;
  }
}
