package orderroute;

import org.operaton.bpm.engine.delegate.DelegateExecution;
import org.operaton.bpm.engine.delegate.ExecutionListener;
import org.operaton.bpm.engine.impl.persistence.entity.ExecutionEntity;
import org.springframework.stereotype.Component;

/** An order or a complaint without a key gets its number; a start that passed no gate is refused to all who may not repair. */
@Component
class StartMark implements ExecutionListener {

  private final OrderNumbers numbers;

  StartMark(OrderNumbers numbers) {
    this.numbers = numbers;
  }

  @Override
  public void notify(DelegateExecution execution) {
    var instance = (ExecutionEntity) execution;
    if (instance.getSuperExecution() != null) {
      return;
    }
    Judged judged = Judged.current();
    boolean passed = judged != null && judged.isStart(instance.getProcessDefinitionId());
    if (!passed && !Caller.current().mayRepair()) {
      throw new Refusal("Этот процесс запускается только его формой");
    }
    if (instance.getProcessBusinessKey() != null) {
      return;
    }
    if (passed && judged.number() != null) {
      instance.setProcessBusinessKey(judged.number());
    } else if (Model.isOrder(instance.getProcessDefinition())) {
      instance.setProcessBusinessKey(numbers.next(NumberSeries.ORDER));
    }
  }
}
