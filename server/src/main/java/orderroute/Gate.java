package orderroute;

import org.operaton.bpm.engine.impl.interceptor.Command;

/** One rule about one kind of command, judged inside its transaction before it runs. */
interface Gate {

  boolean concerns(Command<?> command);

  /** Refuses, or runs the rest of the command. */
  <T> T pass(Command<T> command, Go<T> go);

  /** The rest of the command. */
  interface Go<T> {
    T on();
  }
}
