package org.mezzo.master.scheduler;

import java.util.Optional;
import java.util.concurrent.Executor;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.master.transitions.Frameworks;
import org.mezzo.master.transitions.Subscribing;
import org.mezzo.master.transitions.Transition;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

/** UPDATE_FRAMEWORK: changes what a framework said of itself without a new stream (rule 36). */
final class UpdateFramework implements ApiCall<Call> {
  private final SubscribedFrameworks frameworks;
  private final Registrations registrations;
  private final Executor answers;

  UpdateFramework(SubscribedFrameworks frameworks, Registrations registrations, Executor answers) {
    this.frameworks = frameworks;
    this.registrations = registrations;
    this.answers = answers;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.<Call>of(
            Call.Type.UPDATE_FRAMEWORK,
            Permission.perObject(Action.REGISTER_FRAMEWORK),
            "Changes what the framework said of itself when it subscribed.")
        .carrying("update_framework");
  }

  @Override
  public Optional<String> problem(Call call) {
    return Registrations.sameId(
            true, call.getFrameworkId(), call.getUpdateFramework().getFrameworkInfo())
        ? Optional.empty()
        : Optional.of("'framework_id' differs from 'update_framework.framework_info.id'");
  }

  @Override
  public void handle(Call call, CallExchange exchange) {
    Call.UpdateFramework update = call.getUpdateFramework();
    FrameworkInfo given = update.getFrameworkInfo();
    Subscribing request =
        registrations.read(
            exchange,
            given,
            update.getSuppressedRolesList(),
            update.hasOfferConstraints()
                ? update.getOfferConstraints()
                : OfferConstraints.getDefaultInstance());
    exchange.when(
        registrations.refusal(exchange, request),
        answers,
        refusal ->
            frameworks.with(
                call,
                exchange,
                (term, framework) ->
                    term.run(tx -> update(tx, framework.id(), exchange, request, refusal))));
  }

  /** What is wrong is told before what is not allowed (rule 36). */
  private static void update(
      Transition tx,
      String id,
      CallExchange exchange,
      Subscribing request,
      Optional<String> refusal) {
    Optional<String> problem =
        Registrations.principalProblem(exchange, request.info())
            .or(() -> Frameworks.updateProblem(tx, id, request));
    if (problem.isPresent()) {
      tx.answer(() -> exchange.reject(400, problem.get()));
    } else if (refusal.isPresent()) {
      tx.answer(() -> exchange.reject(403, refusal.get()));
    } else {
      Frameworks.update(tx, id, request);
      tx.answer(exchange::ok);
    }
  }
}
