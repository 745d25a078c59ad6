package org.mezzo.master.operator;

import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.calls.CallApi;
import org.mezzo.daemon.calls.CallEndpoint;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.daemon.loop.Workers;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.protocol.v1.master.Call;

/** {@code /api/v1}: the operator API of the master. */
public final class OperatorApi {
  private OperatorApi() {}

  /**
   * The API of one master.
   *
   * @param calls those of {@link OperatorCalls}
   * @param gate sends away whoever asks a master that does not lead, or not yet
   * @param workers where answers are encoded and written
   */
  public static CallApi<Call> of(CallTable<Call> calls, LeaderGate gate, Workers workers) {
    return new CallApi<>(
        new EndpointDeclaration(
            "/api/v1",
            Access.READWRITE,
            CallApi.PERMISSION,
            Help.of(
                "The operator API.",
                "Takes calls of operators by POST, in JSON or protobuf, and answers in what the"
                    + " client accepts of both. SUBSCRIBE is answered with a stream of events.")),
        new CallEndpoint<>(Call.getDefaultInstance(), "master::Call", workers, calls::handle)
            .gate(gate::check)
            .validate(calls::problem),
        calls);
  }
}
