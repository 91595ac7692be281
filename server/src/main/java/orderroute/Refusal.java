package orderroute;

import org.operaton.bpm.engine.BadUserRequestException;

/** A person's answer was refused in one plain Russian sentence; nothing has changed. */
final class Refusal extends BadUserRequestException {

  private static final long serialVersionUID = 1L;

  /** Tells "refused" from "broken" at every door. */
  static final int CODE = 22401;

  Refusal(String sentence) {
    super(sentence);
    setCode(CODE);
  }

  /** The refusal inside an exception that the engine wrapped around it, or null. */
  static Refusal in(Throwable error) {
    for (Throwable cause = error; cause != null; cause = cause.getCause()) {
      if (cause instanceof Refusal refusal) {
        return refusal;
      }
    }
    return null;
  }
}
