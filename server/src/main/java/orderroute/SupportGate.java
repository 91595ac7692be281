package orderroute;

import java.util.List;
import java.util.Map;
import org.operaton.bpm.engine.variable.Variables;
import org.operaton.bpm.engine.variable.value.StringValue;
import org.springframework.stereotype.Component;

/** A support process names an order that exists and is in a state that the process can work on; its instance id is found here. */
@Component
class SupportGate {

  private static final String ORDER_KEY = "orderKey";
  private static final String DIRECTORS = "directors";
  private static final List<String> CORRECTED =
      List.of("customerName", "customerContact", "itemDescription", "wishedBy", "budget");

  private final OrderFinder orders;

  SupportGate(OrderFinder orders) {
    this.orders = orders;
  }

  /** The variables that the gate adds to the start; empty where the start names no order. */
  Map<String, Object> judge(String process, Map<String, Object> values, Caller caller) {
    if (!(values.get(ORDER_KEY) instanceof StringValue key)) {
      return Map.of();
    }
    FoundOrder order = orders.find(key.getValue());
    switch (process) {
      case "cancel-order" -> mayCancel(order, caller);
      case "move-ready-date" -> mayMove(order);
      case "correct-order" -> mayCorrect(order, values);
      case NumberSeries.COMPLAINT_PROCESS, "record-actual-cost" -> delivered(order);
      case "adjust-bonus" -> mayPropose(order, caller);
      default -> exists(order);
    }
    return Map.of("orderInstanceId", Variables.stringValue(order.instanceId()));
  }

  private static void mayCancel(FoundOrder order, Caller caller) {
    running(order);
    if (order.shipped()) {
      throw new Refusal("Заказ " + order.key() + " уже отгружен: отменить его нельзя");
    }
    if (order.paid() && !caller.in(DIRECTORS) && !caller.isEngine()) {
      throw new Refusal("Заказ " + order.key() + " оплачен: отменить его может только директор");
    }
  }

  private static void mayMove(FoundOrder order) {
    running(order);
    if (order.shipped()) {
      throw new Refusal("Заказ " + order.key() + " уже отгружен: переносить срок поздно");
    }
    if (!order.promised()) {
      throw new Refusal("У заказа " + order.key() + " срок готовности ещё не назначен");
    }
  }

  private static void mayCorrect(FoundOrder order, Map<String, Object> values) {
    running(order);
    if (order.shipped()) {
      throw new Refusal("Заказ " + order.key() + " уже отгружен: исправлять данные поздно");
    }
    if (CORRECTED.stream().allMatch(name -> isBlank(values.get(name)))) {
      throw new Refusal("Не названо, что исправить: заполните хотя бы одно поле с новыми данными");
    }
  }

  /** An entry of the register comes from the program's own look at the history, never from a person. */
  private static void mayPropose(FoundOrder order, Caller caller) {
    exists(order);
    if (!caller.in(Caller.INTEGRATION) && !caller.isEngine()) {
      throw new Refusal("Запись о корректировке премии делает программа, когда срок прошёл");
    }
  }

  private static boolean isBlank(Object value) {
    return !(value instanceof StringValue text) || text.getValue() == null || text.getValue().isBlank();
  }

  private static void delivered(FoundOrder order) {
    exists(order);
    if (!order.shipped()) {
      throw new Refusal("Заказ " + order.key() + " ещё не отгружен");
    }
  }

  private static void running(FoundOrder order) {
    exists(order);
    if (!order.running()) {
      throw new Refusal("Заказ " + order.key() + " уже закрыт");
    }
  }

  private static void exists(FoundOrder order) {
    if (order.instanceId() == null) {
      throw new Refusal("Заказа с номером «" + Shown.value(order.key()) + "» нет");
    }
  }
}
