package org.mezzo.itests.rxjava;

import static com.mesosphere.mesos.rx.java.SinkOperations.sink;

import com.google.protobuf.ByteString;
import com.mesosphere.mesos.rx.java.MesosClientBuilder;
import com.mesosphere.mesos.rx.java.SinkOperation;
import com.mesosphere.mesos.rx.java.protobuf.ProtobufMessageCodecs;
import com.mesosphere.mesos.rx.java.util.UserAgentEntries;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import org.apache.mesos.v1.Protos;
import org.apache.mesos.v1.executor.Protos.Call;
import org.apache.mesos.v1.executor.Protos.Event;
import rx.Observable;

/**
 * An executor on mesos-rxjava: its tasks run from when they come, are finished when the framework
 * says so by a message with the id, and killed when they are to be. What it is told it prints.
 */
public final class RxJavaExecutor {
  private final Protos.FrameworkID framework =
      Protos.FrameworkID.newBuilder().setValue(System.getenv("MESOS_FRAMEWORK_ID")).build();
  private final Protos.ExecutorID executor =
      Protos.ExecutorID.newBuilder().setValue(System.getenv("MESOS_EXECUTOR_ID")).build();

  private RxJavaExecutor() {}

  public static void main(String[] arguments) throws Throwable {
    RxJavaExecutor self = new RxJavaExecutor();
    MesosClientBuilder.<Call, Event>newBuilder()
        .mesosUri(
            URI.create("http://" + System.getenv("MESOS_AGENT_ENDPOINT") + "/api/v1/executor"))
        .applicationUserAgentEntry(UserAgentEntries.literal("mezzo-itests", "1"))
        .sendCodec(ProtobufMessageCodecs.EXECUTOR_CALL)
        .receiveCodec(ProtobufMessageCodecs.EXECUTOR_EVENT)
        .subscribe(
            self.call(Call.Type.SUBSCRIBE)
                .setSubscribe(Call.Subscribe.getDefaultInstance())
                .build())
        .processStream(events -> events.flatMap(self::answers))
        .build()
        .openStream()
        .await();
  }

  private Call.Builder call(Call.Type type) {
    return Call.newBuilder().setType(type).setFrameworkId(framework).setExecutorId(executor);
  }

  private Observable<Optional<SinkOperation<Call>>> answers(Event event) {
    System.out.println("event " + event.getType());
    switch (event.getType()) {
      case LAUNCH:
        return told(event.getLaunch().getTask().getTaskId(), Protos.TaskState.TASK_RUNNING);
      case KILL:
        return told(event.getKill().getTaskId(), Protos.TaskState.TASK_KILLED);
      case MESSAGE:
        return told(
            Protos.TaskID.newBuilder()
                .setValue(event.getMessage().getData().toStringUtf8())
                .build(),
            Protos.TaskState.TASK_FINISHED);
      case SHUTDOWN:
        System.exit(0);
        return Observable.empty();
      default:
        return Observable.just(Optional.empty());
    }
  }

  private Observable<Optional<SinkOperation<Call>>> told(
      Protos.TaskID task, Protos.TaskState state) {
    UUID uuid = UUID.randomUUID();
    ByteBuffer bytes = ByteBuffer.allocate(16);
    bytes.putLong(uuid.getMostSignificantBits()).putLong(uuid.getLeastSignificantBits());
    Protos.TaskStatus status =
        Protos.TaskStatus.newBuilder()
            .setTaskId(task)
            .setState(state)
            .setSource(Protos.TaskStatus.Source.SOURCE_EXECUTOR)
            .setUuid(ByteString.copyFrom(bytes.array()))
            .setMessage("from rxjava")
            .build();
    return Observable.just(
        Optional.of(
            sink(
                call(Call.Type.UPDATE)
                    .setUpdate(Call.Update.newBuilder().setStatus(status))
                    .build())));
  }
}
