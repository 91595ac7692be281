package orderroute;

import java.util.List;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.interceptor.CommandInterceptor;

/** Every command of every door passes the gates that concern it; a refusal that the engine wrapped comes out bare. */
class GateInterceptor extends CommandInterceptor {

  private final List<Gate> gates;

  GateInterceptor(List<Gate> gates) {
    this.gates = gates;
  }

  @Override
  public <T> T execute(Command<T> command) {
    try {
      return pass(command, 0);
    } catch (RuntimeException error) {
      Refusal refusal = Refusal.in(error);
      throw refusal == null ? error : refusal;
    }
  }

  private <T> T pass(Command<T> command, int from) {
    for (int at = from; at < gates.size(); at++) {
      if (gates.get(at).concerns(command)) {
        int rest = at + 1;
        return gates.get(at).pass(command, () -> pass(command, rest));
      }
    }
    return next.execute(command);
  }
}
