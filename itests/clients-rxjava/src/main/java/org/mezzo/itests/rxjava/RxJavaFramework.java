package org.mezzo.itests.rxjava;

import static com.mesosphere.mesos.rx.java.SinkOperations.sink;

import com.mesosphere.mesos.rx.java.AwaitableSubscription;
import com.mesosphere.mesos.rx.java.SinkOperation;
import com.mesosphere.mesos.rx.java.protobuf.ProtobufMesosClientBuilder;
import com.mesosphere.mesos.rx.java.protobuf.SchedulerCalls;
import com.mesosphere.mesos.rx.java.util.UserAgentEntries;
import java.net.URI;
import java.util.Optional;
import java.util.UUID;
import org.apache.mesos.v1.Protos;
import org.apache.mesos.v1.scheduler.Protos.Call;
import org.apache.mesos.v1.scheduler.Protos.Event;
import rx.Observable;

/**
 * Subscribes with mesos-rxjava, launches one command task from the first offer and exits with 0
 * once it has seen and acknowledged TASK_FINISHED. Prints what it sees. Argument: the master's URI.
 */
public final class RxJavaFramework {
  private Protos.FrameworkID framework;
  private boolean launched;

  private RxJavaFramework() {}

  public static void main(String[] arguments) throws Throwable {
    RxJavaFramework self = new RxJavaFramework();
    AwaitableSubscription stream =
        ProtobufMesosClientBuilder.schedulerUsingProtos()
            .mesosUri(URI.create(arguments[0]))
            .applicationUserAgentEntry(UserAgentEntries.literal("mezzo-itests", "1"))
            .subscribe(SchedulerCalls.subscribe("", System.getProperty("user.name"), "rxjava", 10))
            .processStream(events -> events.flatMap(self::answers))
            .build()
            .openStream();
    stream.await();
  }

  private Observable<Optional<SinkOperation<Call>>> answers(Event event) {
    System.out.println("event " + event.getType());
    switch (event.getType()) {
      case SUBSCRIBED:
        framework = event.getSubscribed().getFrameworkId();
        return Observable.just(Optional.empty());
      case OFFERS:
        return Observable.from(event.getOffers().getOffersList())
            .map(offer -> Optional.of(sink(launched ? decline(offer) : launch(offer))));
      case UPDATE:
        Protos.TaskStatus status = event.getUpdate().getStatus();
        System.out.println("state " + status.getState());
        Call ack =
            SchedulerCalls.ackUpdate(
                framework, status.getUuid(), status.getAgentId(), status.getTaskId());
        if (status.getState() == Protos.TaskState.TASK_FINISHED) {
          return Observable.just(
              Optional.of(sink(ack, () -> System.exit(0), error -> System.exit(2))));
        }
        return Observable.just(Optional.of(sink(ack)));
      default:
        return Observable.just(Optional.empty());
    }
  }

  private Call decline(Protos.Offer offer) {
    return SchedulerCalls.decline(framework, java.util.Collections.singletonList(offer.getId()));
  }

  private Call launch(Protos.Offer offer) {
    launched = true;
    String role = offer.getResources(0).getRole();
    Protos.TaskInfo task =
        Protos.TaskInfo.newBuilder()
            .setName("rxjava")
            .setTaskId(Protos.TaskID.newBuilder().setValue(UUID.randomUUID().toString()))
            .setAgentId(offer.getAgentId())
            .setCommand(Protos.CommandInfo.newBuilder().setShell(true).setValue("echo from rxjava"))
            .addResources(scalar("cpus", 0.1, role))
            .addResources(scalar("mem", 32, role))
            .build();
    return Call.newBuilder()
        .setFrameworkId(framework)
        .setType(Call.Type.ACCEPT)
        .setAccept(
            Call.Accept.newBuilder()
                .addOfferIds(offer.getId())
                .addOperations(
                    Protos.Offer.Operation.newBuilder()
                        .setType(Protos.Offer.Operation.Type.LAUNCH)
                        .setLaunch(Protos.Offer.Operation.Launch.newBuilder().addTaskInfos(task))))
        .build();
  }

  private static Protos.Resource scalar(String name, double value, String role) {
    return Protos.Resource.newBuilder()
        .setName(name)
        .setRole(role)
        .setType(Protos.Value.Type.SCALAR)
        .setScalar(Protos.Value.Scalar.newBuilder().setValue(value))
        .build();
  }
}
