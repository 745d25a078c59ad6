package org.mezzo.agent.operations;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mezzo.agent.Made.apply;
import static org.mezzo.agent.Made.create;
import static org.mezzo.agent.Made.destroy;
import static org.mezzo.agent.Made.named;
import static org.mezzo.agent.Made.reserve;
import static org.mezzo.agent.Made.scalar;
import static org.mezzo.agent.Made.unreserve;
import static org.mezzo.agent.Made.uuid;
import static org.mezzo.agent.Made.volume;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.agent.checkpoint.Damage;
import org.mezzo.agent.checkpoint.ResourceCheckpoint;
import org.mezzo.agent.volumes.VolumeStore;
import org.mezzo.api.DaemonContext;
import org.mezzo.daemon.metrics.MetricsRegistry;
import org.mezzo.link.messages.AcknowledgeOperation;
import org.mezzo.link.messages.ApplyOperation;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.ReconcileOperations;
import org.mezzo.modules.local.LocalModules;
import org.mezzo.protocol.v1.AgentID;
import org.mezzo.protocol.v1.Operation;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.resources.Resources;

class OperationsTest {
  private static final AgentID AGENT = AgentID.newBuilder().setValue("m-S0").build();
  private static final String VERSION = "this-version";

  @TempDir Path folder;
  private final Deque<Runnable> work = new ArrayDeque<>();
  private final List<OperationUpdate> sent = new ArrayList<>();
  private final List<Path> discarded = new ArrayList<>();
  private final List<Duration> waits = new ArrayList<>();
  private final List<Runnable> retries = new ArrayList<>();
  private Resources own;
  private Resources used = Resources.EMPTY;
  private boolean drains;
  private boolean strict = true;
  private boolean keepsWhatFits;
  private int idle;
  private Operations operations;

  @BeforeEach
  void open() throws Exception {
    own = Resources.parse("cpus:4;mem:1024;disk:1000", "*");
    operations = restarted();
    operations.agent(AGENT);
    operations.resume();
  }

  /** As another process finds what the last one wrote. */
  private Operations restarted() throws IOException {
    Operations restarted =
        new Operations(
            new Operations.Surroundings(
                Runnable::run,
                work::add,
                (wait, task) -> {
                  waits.add(wait);
                  retries.add(task);
                  return () -> retries.remove(task);
                },
                new ResourceCheckpoint(folder),
                new Damage(strict, Clock.systemUTC(), new MetricsRegistry()),
                keepsWhatFits,
                new VolumeStore(folder, discarded::add),
                sent::add),
            own,
            VERSION,
            LocalModules.daemon("agent", DaemonContext.Role.AGENT, folder).metrics());
    restarted.connect(() -> used, () -> drains, () -> idle++);
    return restarted;
  }

  private void work() {
    while (!work.isEmpty()) {
      work.remove().run();
    }
  }

  private OperationUpdate outcome(ApplyOperation message) {
    sent.clear();
    operations.apply(message);
    work();
    assertThat(sent).hasSize(1);
    return sent.get(0);
  }

  private static Resources resources(Resource... messages) throws Exception {
    return Resources.of(List.of(messages));
  }

  private static AcknowledgeOperation acknowledgement(OperationUpdate update) {
    return AcknowledgeOperation.newBuilder()
        .setOperationUuid(update.getOperationUuid())
        .setStatusUuid(update.getStatus().getUuid().getValue())
        .build();
  }

  @Test
  void keepsTheOutcomeBeforeItIsTold() throws Exception {
    operations.apply(apply("a", reserve(scalar("cpus", 1, "eng"))));
    assertThat(operations.total()).isEqualTo(own);
    assertThat(sent).isEmpty();
    assertThat(operations.open().get(0).getLatestStatus().getState())
        .isEqualTo(OperationState.OPERATION_PENDING);
    work();
    OperationUpdate update = sent.get(0);
    assertThat(update.getOperationUuid()).isEqualTo(uuid("a"));
    assertThat(update.getFrameworkId().getValue()).isEqualTo("f-1");
    assertThat(update.getStatus().getState()).isEqualTo(OperationState.OPERATION_FINISHED);
    assertThat(update.getStatus().getAgentId()).isEqualTo(AGENT);
    assertThat(update.getStatus().hasUuid()).isFalse();
    assertThat(update.getStatus().getConvertedResourcesList())
        .containsExactly(scalar("cpus", 1, "eng"));
    Resources total =
        resources(scalar("cpus", 1, "eng")).plus(Resources.parse("cpus:3;mem:1024;disk:1000", "*"));
    assertThat(operations.total()).isEqualTo(total);
    assertThat(operations.open()).isEmpty();
    assertThat(restarted().total()).isEqualTo(total);
  }

  @Test
  void doesTheSameOnceAndAnswersAgain() throws Exception {
    ApplyOperation message = apply("a", reserve(scalar("cpus", 1, "eng")));
    OperationUpdate first = outcome(message);
    assertThat(outcome(message)).isEqualTo(first);
    assertThat(operations.total().reservedTo("eng").scalar("cpus")).isEqualTo(1000);
    operations = restarted();
    operations.agent(AGENT);
    operations.resume();
    assertThat(outcome(message)).isEqualTo(first);
    assertThat(operations.total().reservedTo("eng").scalar("cpus")).isEqualTo(1000);
  }

  @Test
  void carriesOutInOrderAndWhatStandsOnThemWaits() throws Exception {
    List<String> order = new ArrayList<>();
    operations.apply(apply("a", reserve(scalar("disk", 10, "eng"))));
    operations.apply(apply("b", create(volume("v", 10, "eng", "data"))));
    operations.whenSettled(
        () -> order.add("launch with " + operations.total().persistentVolumes().size()));
    operations.apply(apply("c", destroy(volume("v", 10, "eng", "data"))));
    assertThat(order).isEmpty();
    work();
    assertThat(order).containsExactly("launch with 1");
    assertThat(sent)
        .extracting(update -> update.getOperationUuid().toStringUtf8().charAt(0))
        .containsExactly('a', 'b', 'c');
    assertThat(operations.total().persistentVolumes().isEmpty()).isTrue();
    operations.whenSettled(() -> order.add("at once"));
    assertThat(order).endsWith("at once");
  }

  @Test
  void repeatsWhatHasAnIdUntilItIsAcknowledged() throws Exception {
    OperationUpdate update = outcome(apply("a", named(reserve(scalar("cpus", 1, "eng")), "id")));
    assertThat(update.getStatus().getOperationId().getValue()).isEqualTo("id");
    assertThat(update.getStatus().getUuid().getValue().size()).isEqualTo(16);
    for (int repeats = 0; repeats < 8; repeats++) {
      retries.remove(0).run();
    }
    assertThat(sent).hasSize(9).containsOnly(update);
    assertThat(waits)
        .extracting(Duration::toSeconds)
        .containsExactly(10L, 20L, 40L, 80L, 160L, 320L, 600L, 600L, 600L);

    sent.clear();
    operations = restarted();
    operations.agent(AGENT);
    assertThat(operations.open())
        .extracting(Operation::getLatestStatus)
        .containsExactly(update.getStatus());
    assertThat(operations.idle()).isFalse();
    assertThat(sent).isEmpty();
    operations.resume();
    assertThat(sent).containsExactly(update);

    operations.acknowledge(
        acknowledgement(update).toBuilder().setStatusUuid(uuid("wrong")).build());
    assertThat(operations.open()).hasSize(1);
    idle = 0;
    operations.acknowledge(acknowledgement(update));
    work();
    assertThat(operations.open()).isEmpty();
    assertThat(idle).isPositive();
    assertThat(restarted().open()).isEmpty();
  }

  @Test
  void aNewAgentOwesNobodyTheOutcomesOfTheOldOne() throws Exception {
    outcome(apply("a", named(reserve(scalar("cpus", 1, "eng")), "id")));
    operations = restarted();
    operations.forgetAll();
    work();
    assertThat(operations.open()).isEmpty();
    assertThat(operations.total().reservedTo("eng").scalar("cpus")).isEqualTo(1000);
    assertThat(restarted().open()).isEmpty();
    assertThat(restarted().total().reservedTo("eng").scalar("cpus")).isEqualTo(1000);
  }

  @Test
  void saysWhyNot() throws Exception {
    OperationUpdate tooMuch = outcome(apply("a", reserve(scalar("cpus", 5, "eng"))));
    assertThat(tooMuch.getStatus().getState()).isEqualTo(OperationState.OPERATION_ERROR);
    assertThat(tooMuch.getStatus().getMessage()).contains("does not contain 'cpus:5'");

    OperationUpdate wrong = outcome(apply("b", named(unreserve(scalar("cpus", 1)), "id")));
    assertThat(wrong.getStatus().getState()).isEqualTo(OperationState.OPERATION_ERROR);
    assertThat(wrong.getStatus().hasUuid()).isTrue();

    OperationUpdate stale =
        outcome(
            apply("c", reserve(scalar("cpus", 1, "eng"))).toBuilder()
                .setResourceVersionUuid("another")
                .build());
    assertThat(stale.getStatus().getState()).isEqualTo(OperationState.OPERATION_DROPPED);
    OperationUpdate current =
        outcome(
            apply("d", reserve(scalar("cpus", 1, "eng"))).toBuilder()
                .setResourceVersionUuid(VERSION)
                .build());
    assertThat(current.getStatus().getState()).isEqualTo(OperationState.OPERATION_FINISHED);

    drains = true;
    OperationUpdate draining = outcome(apply("e", reserve(scalar("cpus", 1, "eng"))));
    assertThat(draining.getStatus().getState()).isEqualTo(OperationState.OPERATION_DROPPED);
    assertThat(draining.getStatus().getMessage()).contains("draining");
  }

  @Test
  void destroysNoVolumeThatIsInUse() throws Exception {
    Resource volume = volume("v", 10, "eng", "data");
    outcome(apply("a", reserve(scalar("disk", 10, "eng"))));
    outcome(apply("b", create(volume)));
    Path data = folder.resolve("volumes/roles/eng/v");
    Files.writeString(data.resolve("file"), "kept");
    used = resources(volume);
    OperationUpdate refused = outcome(apply("c", destroy(volume)));
    assertThat(refused.getStatus().getState()).isEqualTo(OperationState.OPERATION_ERROR);
    assertThat(refused.getStatus().getMessage()).startsWith("Persistent volumes in use");
    assertThat(data.resolve("file")).hasContent("kept");
    used = Resources.EMPTY;
    outcome(apply("d", destroy(volume)));
    assertThat(data).doesNotExist();
    assertThat(discarded).hasSize(1);
  }

  @Test
  void whatCannotBeKeptIsNotDone() throws Exception {
    Resource volume = volume("v", 10, "eng", "data");
    outcome(apply("a", reserve(scalar("disk", 20, "eng"))));
    outcome(apply("b", create(volume)));
    Path data = folder.resolve("volumes/roles/eng/v");
    Files.writeString(data.resolve("file"), "kept");
    Resources before = operations.total();
    Path state = folder.resolve("meta/resources/resources_and_operations.state");
    Path obstacle = Files.createDirectory(state.resolveSibling(state.getFileName() + ".new"));
    for (ApplyOperation message :
        List.of(
            apply("c", named(destroy(volume), "id")),
            apply("d", create(volume("w", 10, "eng", "data"))),
            apply("e", reserve(scalar("cpus", 1, "eng"))))) {
      OperationUpdate update = outcome(message);
      assertThat(update.getStatus().getState()).isEqualTo(OperationState.OPERATION_DROPPED);
      assertThat(update.getStatus().getMessage()).contains("cannot keep");
      assertThat(operations.total()).isEqualTo(before);
    }
    assertThat(data.resolve("file")).hasContent("kept");
    assertThat(data.resolveSibling("w")).doesNotExist();
    Files.delete(obstacle);
    assertThat(outcome(apply("f", destroy(volume))).getStatus().getState())
        .isEqualTo(OperationState.OPERATION_FINISHED);
  }

  @Test
  void aVolumeWhoseDirectoryCannotBeMadeIsNotThere() throws Exception {
    outcome(apply("a", reserve(scalar("disk", 20, "eng"))));
    Files.createDirectories(folder.resolve("volumes/roles"));
    Files.writeString(folder.resolve("volumes/roles/eng"), "in the way");
    OperationUpdate update = outcome(apply("b", create(volume("v", 10, "eng", "data"))));
    assertThat(update.getStatus().getState()).isEqualTo(OperationState.OPERATION_ERROR);
    assertThat(update.getStatus().getMessage()).contains("volumes/roles/eng");
    assertThat(operations.total().persistentVolumes().isEmpty()).isTrue();
    assertThat(restarted().total().persistentVolumes().isEmpty()).isTrue();
    OperationUpdate again = outcome(apply("b", create(volume("v", 10, "eng", "data"))));
    assertThat(again).isEqualTo(update);
  }

  @Test
  void answersWhatItIsAskedFor() throws Exception {
    OperationUpdate done = outcome(apply("a", reserve(scalar("cpus", 1, "eng"))));
    OperationUpdate waiting = outcome(apply("b", named(reserve(scalar("cpus", 1, "eng")), "id")));
    operations.apply(apply("c", reserve(scalar("cpus", 1, "eng"))));
    sent.clear();
    operations.reconcile(
        ReconcileOperations.newBuilder()
            .addOperationUuids(uuid("a"))
            .addOperationUuids(uuid("b"))
            .addOperationUuids(uuid("c"))
            .addOperationUuids(uuid("d"))
            .build());
    assertThat(sent).hasSize(3).startsWith(done, waiting);
    assertThat(sent.get(2).getOperationUuid()).isEqualTo(uuid("d"));
    assertThat(sent.get(2).getStatus().getState()).isEqualTo(OperationState.OPERATION_DROPPED);
    assertThat(sent.get(2).getStatus().hasUuid()).isFalse();
    work();
    assertThat(sent).hasSize(4);
  }

  @Test
  void remembersABoundedNumberOfOutcomes() throws Exception {
    for (int i = 0; i < 150; i++) {
      outcome(apply("r" + i, reserve(scalar("cpus", 1, "eng"))));
      outcome(apply("u" + i, unreserve(scalar("cpus", 1, "eng"))));
    }
    sent.clear();
    operations.reconcile(
        ReconcileOperations.newBuilder()
            .addOperationUuids(uuid("r0"))
            .addOperationUuids(uuid("u149"))
            .build());
    assertThat(sent)
        .extracting(update -> update.getStatus().getState())
        .containsExactly(OperationState.OPERATION_DROPPED, OperationState.OPERATION_FINISHED);
    assertThat(operations.total()).isEqualTo(own);
  }

  @Test
  void whatWasMadeMustFitIntoWhatTheAgentHas() throws Exception {
    outcome(apply("a", reserve(scalar("disk", 500, "eng"), scalar("cpus", 2, "eng"))));
    outcome(apply("b", create(volume("v", 400, "eng", "data"))));
    own = Resources.parse("cpus:8;mem:1024;disk:500", "*");
    Resources total = restarted().total();
    assertThat(total.scalar("cpus")).isEqualTo(8000);
    assertThat(total.reservedTo("eng"))
        .isEqualTo(
            resources(
                scalar("disk", 100, "eng"),
                scalar("cpus", 2, "eng"),
                volume("v", 400, "eng", "data")));
    own = Resources.parse("cpus:8;mem:1024;disk:499", "*");
    assertThatThrownBy(this::restarted)
        .isInstanceOf(IOException.class)
        .hasMessageStartingWith("Incompatible agent resources")
        .hasMessageContaining("--resources")
        .hasMessageContaining("--reconfiguration_policy=any");
    Path state = folder.resolve("meta/resources/resources_and_operations.state");
    byte[] before = Files.readAllBytes(state);
    keepsWhatFits = true;
    assertThat(restarted().total().reservedTo("eng"))
        .as("the volume stays, of the rest what fits")
        .isEqualTo(resources(scalar("cpus", 2, "eng"), volume("v", 400, "eng", "data")));
    assertThat(restarted().total().scalar("disk")).isEqualTo(499_000);
    try (Stream<Path> beside = Files.list(state.getParent())) {
      assertThat(beside.filter(each -> each.toString().contains(".before-")))
          .as("one copy of what was given up, however often it is started")
          .singleElement()
          .satisfies(copy -> assertThat(copy).hasBinaryContent(before));
    }
    keepsWhatFits = false;
    Files.write(state, new byte[] {1, 2, 3});
    assertThatThrownBy(this::restarted)
        .isInstanceOf(IOException.class)
        .hasMessageContaining(state + " is damaged");
    Path aside = Files.createDirectories(folder.resolve("volumes/destroyed/x/eng/v"));
    strict = false;
    assertThat(restarted().total()).isEqualTo(own);
    assertThat(state).doesNotExist();
    assertThat(discarded).as("nobody knows what of it is still wanted").isEmpty();
    assertThat(aside).exists();
  }
}
