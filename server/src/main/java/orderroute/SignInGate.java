package orderroute;

import org.operaton.bpm.engine.identity.User;
import org.operaton.bpm.engine.impl.cmd.CheckPassword;
import org.operaton.bpm.engine.impl.cmd.SaveUserCmd;
import org.operaton.bpm.engine.impl.cmd.UnlockUserCmd;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.interceptor.Command;
import org.operaton.bpm.engine.impl.persistence.entity.UserEntity;
import org.operaton.bpm.engine.impl.util.EncryptionUtil;
import org.springframework.stereotype.Component;
import org.springframework.web.context.request.RequestContextHolder;
import org.springframework.web.context.request.ServletRequestAttributes;

/**
 * Whoever signs in with a wrong password learns nothing, and soon waits; the same at the login page and in REST.
 *
 * <p>The engine's own lock counts for existing accounts only, by a write into the database that tells by its time that
 * the account exists, and after ten attempts of anybody it shuts the account for good.
 */
@Component
class SignInGate implements Gate {

  private static final String SALT = "c2lnbi1pbi1nYXRlLXNhbHQ=";

  private final FailedSignIns failed = new FailedSignIns(System::nanoTime);
  private volatile String nobodysPassword;

  @Override
  public boolean concerns(Command<?> command) {
    return command instanceof CheckPassword || command instanceof SaveUserCmd || command instanceof UnlockUserCmd;
  }

  @Override
  public <T> T pass(Command<T> command, Go<T> go) {
    if (command instanceof CheckPassword) {
      return check(command, go);
    }
    T done = go.on();
    // A new account or password, or a lock that the administrator lifts, is a fresh start.
    String name = command instanceof SaveUserCmd ? saved(command) : (String) CommandFields.get(command, "userId");
    failed.forget(String.valueOf(name));
    return done;
  }

  @SuppressWarnings("unchecked")
  private <T> T check(Command<T> command, Go<T> go) {
    String name = String.valueOf(CommandFields.get(command, "userId"));
    String address = address();
    if (failed.mustWait(name, address)) {
      return (T) Boolean.FALSE;
    }
    if (!isRight(name, (String) CommandFields.get(command, "password"))) {
      failed.add(name, address);
      return (T) Boolean.FALSE;
    }
    failed.forget(name, address);
    return go.on();
  }

  /** Hashes once, whether there is such an account or not. */
  private boolean isRight(String name, String password) {
    User user = Context.getCommandContext().getReadOnlyIdentityProvider().findUserById(name);
    var passwords = Context.getProcessEngineConfiguration().getPasswordManager();
    if (nobodysPassword == null) {
      nobodysPassword = passwords.encrypt(EncryptionUtil.saltPassword("nobody", SALT));
    }
    boolean known = user instanceof UserEntity && password != null;
    String salt = known ? ((UserEntity) user).getSalt() : SALT;
    String stored = known ? user.getPassword() : nobodysPassword;
    boolean matches = passwords.check(EncryptionUtil.saltPassword(String.valueOf(password), salt), stored);
    return known && matches;
  }

  private static String saved(Command<?> command) {
    return CommandFields.get(command, "user") instanceof User user ? user.getId() : null;
  }

  private static String address() {
    return RequestContextHolder.getRequestAttributes() instanceof ServletRequestAttributes request
        ? request.getRequest().getRemoteAddr()
        : "";
  }
}
