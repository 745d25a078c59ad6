package {{package}};

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.mezzo.api.DaemonContext;
import org.mezzo.api.MezzoModule;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Approver;
import org.mezzo.api.authorization.Authorizer;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/**
 * Everybody may look, and run frameworks and tasks. Anything else may be done by those whom the
 * parameter {@code administrators} names, separated by commas.
 */
@Component(service = Authorizer.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Authorizer.KIND,
    name = "{{name}}",
    version = "1.0.0",
    author = "me",
    description = "keeps what changes the cluster to administrators")
public final class {{class}} implements Authorizer {
  private static final Set<Action> EVERYBODY =
      Set.of(Action.REGISTER_FRAMEWORK, Action.REGISTER_AGENT, Action.RUN_TASK);

  private Set<String> administrators = Set.of();

  @Override
  public void open(DaemonContext context) {
    administrators =
        Set.copyOf(
            List.of(
                context.parameters().getOrDefault("administrators", "").strip().split("\\s*,\\s*")));
  }

  /** Asked once for a request; what it gives is asked about each object, and returns at once. */
  @Override
  public Approver approver(Optional<Principal> subject, Set<Action> actions) {
    boolean administrator =
        subject.flatMap(Principal::value).filter(administrators::contains).isPresent();
    return (action, object) -> administrator || looks(action) || EVERYBODY.contains(action);
  }

  /** There may be more actions one day: those that nobody has thought of are refused. */
  private static boolean looks(Action action) {
    return action.name().startsWith("VIEW_") || action.name().startsWith("GET_");
  }
}
