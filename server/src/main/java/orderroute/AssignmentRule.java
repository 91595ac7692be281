package orderroute;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.operaton.bpm.engine.authorization.Authorization;
import org.operaton.bpm.engine.authorization.Resources;
import org.operaton.bpm.engine.delegate.DelegateTask;
import org.operaton.bpm.engine.delegate.TaskListener;
import org.operaton.bpm.engine.impl.context.Context;
import org.operaton.bpm.engine.impl.db.entitymanager.cache.DbEntityState;
import org.operaton.bpm.engine.impl.persistence.entity.TaskEntity;
import org.operaton.bpm.engine.task.IdentityLink;

/** A stage is held by nobody or by one of its candidates; people take it for themselves, heads for members of their group. */
class AssignmentRule implements TaskListener {

  @Override
  public void notify(DelegateTask delegate) {
    var task = (TaskEntity) delegate;
    if (isNew(task)) {
      return;
    }
    String old = oldAssignee(task);
    Caller caller = Caller.current();
    if (!caller.isEngine()) {
      check(task, old, task.getAssignee(), caller);
    }
    dropGrant(task, old);
  }

  /** Whether the caller is a head of a group whose stage this is. */
  static boolean heads(TaskEntity task, Caller caller) {
    return groups(task.getCandidates()).stream().anyMatch(caller::heads);
  }

  private static void check(TaskEntity task, String old, String wanted, Caller caller) {
    Set<IdentityLink> candidates = task.getCandidates();
    boolean above = caller.mayRepair() || heads(task, caller);
    if (wanted == null) {
      if (candidates.isEmpty()) {
        throw new Refusal("Этот шаг поручен лично: вернуть его некому");
      }
      if (!above && !caller.id().equals(old)) {
        throw new Refusal("Вернуть шаг в отдел может тот, у кого он, или руководитель отдела");
      }
      return;
    }
    if (!above && !caller.id().equals(wanted)) {
      throw new Refusal("Взять шаг можно только себе");
    }
    if (!isCandidate(candidates, wanted)) {
      throw new Refusal("Этот шаг не может выполнять " + Shown.value(wanted) + ": не из того отдела");
    }
  }

  private static boolean isCandidate(Set<IdentityLink> candidates, String person) {
    return users(candidates).contains(person)
        || groups(candidates).stream().anyMatch(group -> isMember(person, group));
  }

  private static boolean isMember(String person, String group) {
    var context = Context.getCommandContext();
    return context.runWithoutAuthorization(
            () ->
                context
                    .getProcessEngineConfiguration()
                    .getIdentityService()
                    .createUserQuery()
                    .userId(person)
                    .memberOfGroup(group)
                    .count())
        > 0;
  }

  private static List<String> groups(Set<IdentityLink> candidates) {
    return candidates.stream().map(IdentityLink::getGroupId).filter(java.util.Objects::nonNull).toList();
  }

  private static Set<String> users(Set<IdentityLink> candidates) {
    return candidates.stream()
        .map(IdentityLink::getUserId)
        .filter(java.util.Objects::nonNull)
        .collect(Collectors.toSet());
  }

  private static boolean isNew(TaskEntity task) {
    var cached =
        Context.getCommandContext().getDbEntityManager().getDbEntityCache().getCachedEntity(TaskEntity.class, task.getId());
    return cached != null && cached.getEntityState() == DbEntityState.TRANSIENT;
  }

  private static String oldAssignee(TaskEntity task) {
    var change = task.getPropertyChanges().get(TaskEntity.ASSIGNEE);
    return change == null ? null : (String) change.getOrgValue();
  }

  /** The engine grants the new assignee and forgets to take the old one's grant away. */
  private static void dropGrant(TaskEntity task, String old) {
    if (old != null && !users(task.getCandidates()).contains(old)) {
      takeBack(task, old);
    }
  }

  /** Takes the right on a task from somebody who does not hold it any more. */
  static void takeBack(TaskEntity task, String person) {
    if (person == null || person.equals(task.getAssignee())) {
      return;
    }
    var context = Context.getCommandContext();
    var grant =
        context
            .getAuthorizationManager()
            .findAuthorizationByUserIdAndResourceId(Authorization.AUTH_TYPE_GRANT, person, Resources.TASK, task.getId());
    if (grant != null) {
      context.getDbEntityManager().delete(grant);
    }
  }
}
