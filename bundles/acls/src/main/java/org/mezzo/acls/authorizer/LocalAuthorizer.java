package org.mezzo.acls.authorizer;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.mezzo.acls.AclRule;
import org.mezzo.acls.Acls;
import org.mezzo.acls.AclsException;
import org.mezzo.acls.AclsSource;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.api.authorization.Authorizer;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Authorizes by the access control lists of {@code --acls}. A file is looked at for each request
 * and read again when it has changed; the approver of a request goes by one version of it.
 */
@Component(service = Authorizer.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Authorizer.KIND,
    name = "local",
    version = "0.1.0",
    author = "Mezzo",
    description = "authorization by access control lists in the JSON of Mesos",
    flags = "acls")
public final class LocalAuthorizer implements Authorizer {
  private static final Map<Action, List<AclRule>> RULES = rules();
  private static final Approver NOTHING = (action, object) -> false;

  private static final Set<Action> OF_EXECUTORS =
      Set.of(
          Action.LAUNCH_NESTED_CONTAINER,
          Action.WAIT_NESTED_CONTAINER,
          Action.KILL_NESTED_CONTAINER,
          Action.REMOVE_NESTED_CONTAINER,
          Action.LAUNCH_NESTED_CONTAINER_SESSION,
          Action.ATTACH_CONTAINER_INPUT,
          Action.ATTACH_CONTAINER_OUTPUT);

  private volatile FollowedAcls acls;

  private static Map<Action, List<AclRule>> rules() {
    Map<Action, List<AclRule>> rules = new EnumMap<>(Action.class);
    for (Action action : Action.values()) {
      rules.put(action, AclRule.ofAction(action.name()));
    }
    return rules;
  }

  /**
   * Reads the access control lists.
   *
   * @throws AclsException when they cannot be used
   */
  @Override
  public void open(DaemonContext context) throws AclsException {
    String text = context.flags().getOrDefault("acls", "");
    acls = new FollowedAcls(AclsSource.of(text), context.clock(), context.metrics());
  }

  @Override
  public Approver approver(Optional<Principal> subject, Set<Action> actions) {
    if (subject.isPresent() && subject.get().value().isEmpty()) {
      // Whoever has claims and no name is nobody whom an entry could be about.
      return inOwnContainer(subject.get().claims());
    }
    Acls.Subject asking =
        acls.now()
            .subject(
                subject.flatMap(Principal::value),
                actions.stream().flatMap(action -> RULES.get(action).stream()).toList());
    return (action, object) -> {
      List<AclRule> rules = RULES.get(action);
      return !rules.isEmpty()
          && rules.stream().allMatch(rule -> asking.decide(rule, about(rule, object)).allowed());
    };
  }

  /**
   * What an executor may that its agent knows by its token: have containers in its own, and look
   * after them.
   */
  private static Approver inOwnContainer(Map<String, String> claims) {
    Optional<String> own = Optional.ofNullable(claims.get("cid"));
    return own.isEmpty()
        ? NOTHING
        : (action, object) -> OF_EXECUTORS.contains(action) && object.containerId().equals(own);
  }

  private static Optional<String> about(AclRule rule, AuthorizationObject object) {
    return rule.aboutParent() ? object.parentUser() : object.value();
  }
}
