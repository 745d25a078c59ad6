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
import org.mezzo.master.operator.FrameworkReadmission;
import org.mezzo.master.reads.LeaderGate;

/** {@code /mezzo/frameworks/readmit}: lets a removed framework subscribe again. Mezzo's own. */
final class ReadmitEndpoint extends FormEndpoint {
  private final FrameworkReadmission readmission;

  ReadmitEndpoint(FrameworkReadmission readmission, LeaderGate gate, Executor answers) {
    super(
        new EndpointDeclaration(
            "/mezzo/frameworks/readmit",
            Set.of("POST"),
            Access.READWRITE,
            FrameworkReadmission.permission(),
            Help.of(
                "Lets a framework that has been removed subscribe again.",
                "Takes a form in the body with the id of the framework, 'frameworkId=...'. From"
                    + " then on a SUBSCRIBE with that id and the same principal is accepted, and"
                    + " has the completed tasks that are remembered of it. What was ended with it"
                    + " stays ended.")),
        gate,
        answers,
        200);
    this.readmission = readmission;
  }

  @Override
  CompletionStage<Void> change(Form form, Optional<Principal> principal) throws Refused {
    return readmission.readmit(form.required("frameworkId"), principal);
  }
}
