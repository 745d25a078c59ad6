package org.mezzo.master.endpoints;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.endpoints.Form;
import org.mezzo.master.operator.FrameworkTeardown;
import org.mezzo.master.reads.LeaderGate;

/** {@code /teardown}: ends a framework. */
final class TeardownEndpoint extends FormEndpoint {
  private final FrameworkTeardown teardown;

  TeardownEndpoint(FrameworkTeardown teardown, LeaderGate gate, Executor answers) {
    super(
        new EndpointDeclaration(
            "/teardown",
            Set.of("POST"),
            Access.READWRITE,
            FrameworkTeardown.permission(),
            Help.of(
                "Ends a framework with all its tasks, for good.",
                "Takes a form in the body with the id of the framework, 'frameworkId=...', and"
                    + " answers when it is gone: its agents are told to kill its tasks, its stream"
                    + " has ended, and it cannot subscribe again.")),
        gate,
        answers,
        200);
    this.teardown = teardown;
  }

  @Override
  CompletionStage<Void> change(Form form, Optional<Principal> principal) throws Refused {
    return teardown.end(form.required("frameworkId"), principal);
  }
}
