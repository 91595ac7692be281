package orderroute;

import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.interceptor.CommandInterceptor;

/**
 * Outside the transaction a refusal becomes the REST answer.
 *
 * <p>The REST resources wrap engine exceptions (a start's into 500, each with a prefix of its own); an answer that is no
 * engine exception passes them untouched.
 */
class RefusalBoundary extends CommandInterceptor {

  @Override
  public <T> T execute(Command<T> command) {
    if (Context.getCommandContext() != null) {
      return next.execute(command);
    }
    try {
      return next.execute(command);
    } catch (RuntimeException error) {
      Refusal refusal = Refusal.in(error);
      if (refusal == null || error instanceof RefusalAnswer) {
        throw error;
      }
      throw new RefusalAnswer(refusal);
    }
  }
}
