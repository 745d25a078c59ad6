package org.mezzo.master.scheduler;

import java.util.Optional;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.http.HttpExchange;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.protocol.v1.scheduler.Call;

/**
 * {@code /api/v1/scheduler}. Everything that needs no state is done on the thread of the call; the
 * rest is one step on the event loop, after which the call is answered (rules 22 to 43).
 */
public final class SchedulerApi implements ApiEndpoint {
  static final String STREAM_ID = "Mesos-Stream-Id";

  private final CallTable<Call> calls;
  private final CallEndpoint<Call> endpoint;

  /**
   * The API of one master.
   *
   * @param calls those of {@link SchedulerCalls}
   * @param gate sends away whoever asks a master that does not lead, or not yet
   * @param workers where answers are encoded and written
   */
  public SchedulerApi(CallTable<Call> calls, LeaderGate gate, Workers workers) {
    this.calls = calls;
    this.endpoint =
        new CallEndpoint<>(Call.getDefaultInstance(), "scheduler::Call", workers, calls::handle)
            .gate(gate::check)
            .validate(this::problem)
            .acceptWhen(
                call ->
                    call.getType() == Call.Type.SUBSCRIBE
                        || call.getType() == Call.Type.RECONCILE_OPERATIONS);
  }

  @Override
  public EndpointDeclaration declaration() {
    return new EndpointDeclaration(
        "/api/v1/scheduler",
        Access.SCHEDULER,
        Permission.none("each call asks for the leave it needs"),
        Help.of(
            "The scheduler API.",
            "Takes calls of frameworks by POST, in JSON or protobuf. SUBSCRIBE is answered with a"
                + " stream of events; every other call names that stream in the header "
                + STREAM_ID
                + "."));
  }

  @Override
  public void handle(HttpExchange exchange, Optional<Principal> principal) {
    endpoint.handle(exchange, principal);
  }

  /** Of two things that are missing the framework's id is named first; SUBSCRIBE needs none. */
  private Optional<String> problem(Call call) {
    return call.hasType() && call.getType() != Call.Type.SUBSCRIBE && !call.hasFrameworkId()
        ? Optional.of(CallTable.absent("framework_id"))
        : calls.problem(call);
  }
}
