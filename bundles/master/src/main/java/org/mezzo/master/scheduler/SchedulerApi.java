package org.mezzo.master.scheduler;

import java.util.Optional;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.calls.CallApi;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.protocol.v1.scheduler.Call;

/**
 * {@code /api/v1/scheduler}. Everything that needs no state is done on the thread of the call; the
 * rest is one step on the event loop, after which the call is answered (rules 22 to 43).
 */
public final class SchedulerApi {
  static final String STREAM_ID = "Mesos-Stream-Id";

  private SchedulerApi() {}

  /**
   * The API of one master.
   *
   * @param calls those of {@link SchedulerCalls}
   * @param gate sends away whoever asks a master that does not lead, or not yet
   * @param workers where answers are encoded and written
   */
  public static CallApi<Call> of(CallTable<Call> calls, LeaderGate gate, Workers workers) {
    return new CallApi<>(
        new EndpointDeclaration(
            "/api/v1/scheduler",
            Access.SCHEDULER,
            CallApi.PERMISSION,
            Help.of(
                "The scheduler API.",
                "Takes calls of frameworks by POST, in JSON or protobuf. SUBSCRIBE is answered"
                    + " with a stream of events; every other call names that stream in the header "
                    + STREAM_ID
                    + ".")),
        new CallEndpoint<>(Call.getDefaultInstance(), "scheduler::Call", workers, calls::handle)
            .gate(gate::check)
            .validate(call -> problem(calls, call))
            .acceptWhen(
                call ->
                    call.getType() == Call.Type.SUBSCRIBE
                        || call.getType() == Call.Type.RECONCILE_OPERATIONS),
        calls);
  }

  /** Of two things that are missing the framework's id is named first; SUBSCRIBE needs none. */
  private static Optional<String> problem(CallTable<Call> calls, Call call) {
    return call.hasType() && call.getType() != Call.Type.SUBSCRIBE && !call.hasFrameworkId()
        ? Optional.of(CallTable.absent("framework_id"))
        : calls.problem(call);
  }
}
