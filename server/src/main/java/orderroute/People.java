package orderroute;

import org.operaton.bpm.engine.identity.User;
import org.operaton.bpm.engine.impl.context.Context;

/** Names of persons, as colleagues say them. */
final class People {

  private People() {}

  /** First and last name, or the id where there is no such account or name; null for null. Inside a command only. */
  static String name(String person) {
    if (person == null) {
      return null;
    }
    User user =
        Context.getCommandContext()
            .runWithoutAuthorization(
                () -> Context.getCommandContext().getReadOnlyIdentityProvider().findUserById(person));
    return user == null ? person : name(user);
  }

  static String name(User user) {
    String first = user.getFirstName() == null ? "" : user.getFirstName();
    String last = user.getLastName() == null ? "" : user.getLastName();
    String name = (first + " " + last).strip();
    return name.isEmpty() ? user.getId() : name;
  }
}
