package orderroute;

import com.zaxxer.hikari.HikariDataSource;
import jakarta.annotation.PreDestroy;
import org.operaton.bpm.engine.impl.context.Context;
import org.springframework.boot.autoconfigure.jdbc.DataSourceProperties;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.stereotype.Component;
import org.springframework.transaction.support.TransactionTemplate;

/**
 * Numbers ORD-YYYY-NNNNN and RCL-YYYY-NNNNN come from one row per year, taken in a short transaction apart: a start that carries large files
 * holds up no other one. A start that fails afterwards leaves a gap, never a double.
 */
@Component
class OrderNumbers {

  private final HikariDataSource connections;
  private final JdbcTemplate jdbc;
  private final TransactionTemplate apart;
  private final PlantClock clock;

  OrderNumbers(DataSourceProperties database, PlantClock clock) {
    this.clock = clock;
    // Connections of its own: a start that waits for a number must not hold the one that another start needs to end.
    this.connections = database.initializeDataSourceBuilder().type(HikariDataSource.class).build();
    this.connections.setPoolName("numbers");
    this.connections.setMaximumPoolSize(2);
    this.connections.setMinimumIdle(0);
    this.jdbc = new JdbcTemplate(connections);
    this.apart = new TransactionTemplate(new JdbcTransactionManager(connections));
  }

  @PreDestroy
  void close() {
    connections.close();
  }

  void createTable() {
    for (NumberSeries series : NumberSeries.values()) {
      jdbc.execute(
          "CREATE TABLE IF NOT EXISTS " + series.table() + " (YEAR_ INTEGER PRIMARY KEY, LAST_ INTEGER NOT NULL)");
    }
  }

  /** The next free number of the plant's present year; keys that came from outside are passed over. */
  String next(NumberSeries series) {
    int year = clock.today().getYear();
    String number = take(series, year);
    while (isTaken(number)) {
      number = take(series, year);
    }
    return number;
  }

  /** Never gives out this order number of the year, nor a lower one. */
  void goOnAfter(int year, int number) {
    beginYear(NumberSeries.ORDER, year);
    String table = NumberSeries.ORDER.table();
    jdbc.update("UPDATE " + table + " SET LAST_ = ? WHERE YEAR_ = ? AND LAST_ < ?", number, year, number);
  }

  private String take(NumberSeries series, int year) {
    Integer taken = apart.execute(status -> raise(series, year));
    if (taken == null) {
      beginYear(series, year);
      taken = apart.execute(status -> raise(series, year));
    }
    return series.number(year, taken);
  }

  /** Raises the row and reads it under its lock; null while the year has no row. */
  private Integer raise(NumberSeries series, int year) {
    if (jdbc.update("UPDATE " + series.table() + " SET LAST_ = LAST_ + 1 WHERE YEAR_ = ?", year) == 0) {
      return null;
    }
    return jdbc.queryForObject("SELECT LAST_ FROM " + series.table() + " WHERE YEAR_ = ?", Integer.class, year);
  }

  private void beginYear(NumberSeries series, int year) {
    try {
      apart.executeWithoutResult(
          status -> jdbc.update("INSERT INTO " + series.table() + " (YEAR_, LAST_) VALUES (?, 0)", year));
    } catch (DuplicateKeyException begun) {
      // Another first order of the year was quicker: its row serves both.
    }
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
