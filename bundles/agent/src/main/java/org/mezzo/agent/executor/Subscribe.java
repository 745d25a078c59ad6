package org.mezzo.agent.executor;

import java.util.Map;
import java.util.Optional;
import org.mezzo.agent.tasks.ExecutorConnection;
import org.mezzo.api.Metrics;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.Encoded;
import org.mezzo.daemon.calls.EventStream;
import org.mezzo.protocol.v1.executor.Call;
import org.mezzo.protocol.v1.executor.Event;

/** SUBSCRIBE: connects an executor, or connects it again, and streams its events. */
final class Subscribe implements ApiCall<Call> {
  private static final Encoded<Event> HEARTBEAT =
      Encoded.of(Event.newBuilder().setType(Event.Type.HEARTBEAT).build());

  private final ExecutorApi api;
  private final Metrics.Counter cuts;

  Subscribe(ExecutorApi api, Metrics.Counter cuts) {
    this.api = api;
    this.cuts = cuts;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return CallDeclaration.of(
            Call.Type.SUBSCRIBE,
            ExecutorApi.PERMISSION,
            "Connects an executor, or connects it again, and streams its events.")
        .carrying("subscribe");
  }

  @Override
  public Optional<String> problem(Call call) {
    return call.getSubscribe().getUnacknowledgedUpdatesList().stream()
        .flatMap(update -> Update.problem(call, update.getStatus()).stream())
        .findFirst();
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    api.when(
        call,
        exchange,
        tasks -> tasks.mayConnect(call.getFrameworkId(), call.getExecutorId()),
        () -> open(call, exchange));
  }

  private void open(Call call, CallExchange exchange) {
    api.loop()
        .execute(
            () -> {
              // An executor that reads that it is answered may call at once, and is to find itself
              // subscribed: that answer is begun nowhere else, and does not block.
              EventStream<Event> stream =
                  exchange.<Event>stream(Map.of(), EventStream.DEFAULT_BOUND).countCut(cuts);
              ExecutorConnection connection = new Connection(stream);
              stream.heartbeat(api.loop(), ExecutorApi.HEARTBEAT, HEARTBEAT);
              api.tasks().subscribe(call, connection);
              stream.onClosed(
                  cause -> api.loop().execute(() -> api.tasks().disconnected(call, connection)));
            });
  }

  private record Connection(EventStream<Event> stream) implements ExecutorConnection {
    @Override
    public void send(Event event) {
      stream.send(event);
    }

    @Override
    public void end() {
      stream.end();
    }
  }
}
