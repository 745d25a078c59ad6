package org.mezzo.agent.containers;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.mezzo.api.authorization.Action;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.ContainerInput;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.calls.ApiCall;
import org.mezzo.daemon.calls.CallDeclaration;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.calls.CallRecords;
import org.mezzo.daemon.calls.CallTable;
import org.mezzo.protocol.v1.agent.Call;
import org.mezzo.protocol.v1.agent.Call.AttachContainerInput;
import org.mezzo.protocol.v1.agent.ProcessIO;

/**
 * {@code ATTACH_CONTAINER_INPUT} (rule 346): the one call that is a stream. The first record names
 * the container, the others are what is typed.
 */
final class AttachInput implements ApiCall<Call> {
  private static final String FIELD = "attach_container_input";

  private static final ContainerCall NAMES =
      new ContainerCall(
          Call.Type.ATTACH_CONTAINER_INPUT,
          FIELD,
          call -> call.getAttachContainerInput().getContainerId(),
          false);

  private final OperatorContainers containers;

  AttachInput(OperatorContainers containers) {
    this.containers = containers;
  }

  @Override
  public CallDeclaration<Call> declaration() {
    return NAMES.declaration(
        "Streams to the input of a container; the first record names it.",
        Action.ATTACH_CONTAINER_INPUT);
  }

  @Override
  public Optional<String> problem(Call call) {
    AttachContainerInput record = call.getAttachContainerInput();
    return switch (record.getType()) {
      case UNKNOWN -> Optional.of(CallTable.absent(FIELD + ".type"));
      case CONTAINER_ID ->
          record.hasContainerId()
              ? NAMES.problem(call)
              : Optional.of(CallTable.absent(FIELD + ".container_id"));
      case PROCESS_IO ->
          record.hasProcessIo()
              ? problem(record.getProcessIo())
              : Optional.of(CallTable.absent(FIELD + ".process_io"));
    };
  }

  private static Optional<String> problem(ProcessIO io) {
    String field = FIELD + ".process_io";
    return switch (io.getType()) {
      case UNKNOWN -> Optional.of(CallTable.absent(field + ".type"));
      case DATA ->
          !io.hasData()
              ? Optional.of(CallTable.absent(field + ".data"))
              : io.getData().getType() == ProcessIO.Data.Type.STDIN
                  ? Optional.empty()
                  : Optional.of("Expecting '" + field + ".data.type' to be STDIN");
      case CONTROL ->
          switch (io.getControl().getType()) {
            case UNKNOWN -> Optional.of(CallTable.absent(field + ".control.type"));
            case TTY_INFO ->
                io.getControl().getTtyInfo().hasWindowSize()
                    ? TerminalInfo.problem(
                        field + ".control.tty_info", io.getControl().getTtyInfo())
                    : Optional.of(CallTable.absent(field + ".control.tty_info.window_size"));
            case HEARTBEAT -> Optional.empty();
          };
    };
  }

  @Override
  public void handle(Call call, CallExchange exchange) throws Refused {
    if (call.getAttachContainerInput().getType() != AttachContainerInput.Type.CONTAINER_ID) {
      throw new Refused(400, "Expecting '" + FIELD + ".type' to be CONTAINER_ID at first");
    }
    ContainerId id = NAMES.id(call);
    exchange.when(
        containers
            .allowed(
                exchange.principal(),
                id,
                Action.ATTACH_CONTAINER_INPUT,
                Action.ATTACH_CONTAINER_INPUT)
            .thenCompose(place -> containers.attachInput(id)),
        Runnable::run,
        input -> {
          CallRecords<Call> records = exchange.records();
          Typing typing = new Typing(id, input, exchange);
          input
              .closed()
              .whenComplete(
                  (closed, failure) -> {
                    records.stop();
                    typing.over();
                  });
          records.follow(typing);
        });
  }

  /** Hands on what is typed. */
  private static final class Typing implements CallRecords.Taker<Call> {
    private final ContainerId id;
    private final ContainerInput input;
    private final CallExchange exchange;
    private final AtomicBoolean answered = new AtomicBoolean();

    Typing(ContainerId id, ContainerInput input, CallExchange exchange) {
      this.id = id;
      this.input = input;
      this.exchange = exchange;
    }

    @Override
    public CompletionStage<?> take(Call call) throws Refused {
      if (call.getAttachContainerInput().getType() != AttachContainerInput.Type.PROCESS_IO) {
        throw new Refused(400, "Expecting '" + FIELD + ".type' to be PROCESS_IO after the first");
      }
      ProcessIO io = call.getAttachContainerInput().getProcessIo();
      if (io.getType() == ProcessIO.Type.DATA) {
        ByteString data = io.getData().getData();
        return data.isEmpty() ? input.end() : write(data);
      }
      return io.getControl().getType() == ProcessIO.Control.Type.TTY_INFO
          ? input.resize(TerminalInfo.window(io.getControl().getTtyInfo()).orElseThrow())
          : CompletableFuture.completedStage(null);
    }

    /** As much at a time as may wait. */
    private CompletionStage<Void> write(ByteString data) {
      int size = Math.min(data.size(), ContainerInput.WAITING_MOST);
      CompletionStage<Void> written = input.write(data.substring(0, size).asReadOnlyByteBuffer());
      return size == data.size()
          ? written
          : written.thenCompose(taken -> write(data.substring(size)));
    }

    /** The handle is given back before the client hears of it: another one may follow at once. */
    @Override
    public void complete() {
      if (answered.compareAndSet(false, true)) {
        input.closed().whenComplete((closed, failure) -> exchange.ok());
      }
      input.close();
    }

    @Override
    public void failed(Throwable cause) {
      Throwable why =
          cause instanceof CompletionException && cause.getCause() != null
              ? cause.getCause()
              : cause;
      if (answered.compareAndSet(false, true)) {
        if (why instanceof Refused refused) {
          exchange.reject(refused.status(), refused.getMessage());
        } else {
          exchange.reject(
              why instanceof IOException ? 500 : 400,
              "Container " + id + " does not take the input: " + why.getMessage());
        }
      }
      input.close();
    }

    /** The container takes nothing more. */
    void over() {
      if (answered.compareAndSet(false, true)) {
        exchange.reject(500, "Container " + id + " takes no more input");
      }
    }
  }
}
