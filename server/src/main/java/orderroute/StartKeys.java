package orderroute;

import java.sql.Timestamp;
import java.util.List;
import org.springframework.dao.DuplicateKeyException;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.stereotype.Component;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.TransactionDefinition;
import org.springframework.transaction.support.TransactionTemplate;

/** A start form carries a key of its own against a double click: the second start with it is refused. */
@Component
class StartKeys {

  private final JdbcTemplate jdbc;
  private final PlantClock clock;
  private final TransactionTemplate apart;

  StartKeys(JdbcTemplate jdbc, PlantClock clock, PlatformTransactionManager transactions) {
    this.jdbc = jdbc;
    this.clock = clock;
    this.apart = new TransactionTemplate(transactions);
    this.apart.setPropagationBehavior(TransactionDefinition.PROPAGATION_REQUIRES_NEW);
  }

  void createTable() {
    jdbc.execute(
        "CREATE TABLE IF NOT EXISTS ORDER_ROUTE_START_KEY"
            + " (KEY_ VARCHAR(64) PRIMARY KEY, ORDER_ VARCHAR(64), AT_ TIMESTAMP NOT NULL)");
  }

  /** Takes the key in the start's own transaction, so that a refused start leaves it free. */
  void take(String key, String orderNumber) {
    try {
      jdbc.update(
          "INSERT INTO ORDER_ROUTE_START_KEY (KEY_, ORDER_, AT_) VALUES (?, ?, ?)",
          key,
          orderNumber,
          Timestamp.from(clock.now()));
    } catch (DuplicateKeyException taken) {
      throw new Refusal(sentence(key));
    }
  }

  private String sentence(String key) {
    // The failed insert has spoilt this transaction on PostgreSQL: read in another one.
    List<String> orders =
        apart.execute(
            status ->
                jdbc.queryForList("SELECT ORDER_ FROM ORDER_ROUTE_START_KEY WHERE KEY_ = ?", String.class, key));
    boolean known = orders != null && !orders.isEmpty() && orders.get(0) != null;
    if (!known) {
      return "Эта форма уже отправлена";
    }
    String number = orders.get(0);
    return (NumberSeries.COMPLAINT.holds(number) ? "Рекламация уже записана: " : "Заказ уже создан: ") + number;
  }
}
