package org.mezzo.master.transitions;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.mezzo.link.messages.ApplyOperation;
import org.mezzo.link.messages.MasterEvent;
import org.mezzo.link.messages.OperationUpdate;
import org.mezzo.link.messages.Register;
import org.mezzo.master.ledger.Offer;
import org.mezzo.protocol.v1.AgentInfo;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Offer.Operation;
import org.mezzo.protocol.v1.OperationID;
import org.mezzo.protocol.v1.OperationState;
import org.mezzo.protocol.v1.OperationStatus;
import org.mezzo.protocol.v1.Resource;
import org.mezzo.protocol.v1.TaskState;
import org.mezzo.protocol.v1.UUID;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.Volume;
import org.mezzo.protocol.v1.scheduler.Call;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.resources.ResourceFormatException;
import org.mezzo.resources.Resources;

class AgentOperationsTest {
  private static final ByteString STATUS = ByteString.copyFromUtf8("0123456789abcdef");

  private final Given given = new Given();
  private String agent;
  private String framework;

  @BeforeEach
  void aFrameworkAndAnAgent() {
    Register.Builder registering = Given.registering(1, given.host(1, "cpus:4;mem:64;disk:100"));
    for (AgentInfo.Capability.Type type :
        List.of(
            AgentInfo.Capability.Type.AGENT_OPERATION_FEEDBACK,
            AgentInfo.Capability.Type.RESIZE_VOLUME,
            AgentInfo.Capability.Type.HIERARCHICAL_ROLE,
            AgentInfo.Capability.Type.RESERVATION_REFINEMENT)) {
      registering.addCapabilities(AgentInfo.Capability.newBuilder().setType(type));
    }
    given.register(registering).stored();
    agent = given.state().agents().keySet().iterator().next();
    framework =
        given.subscribed(
            Given.info("r")
                .addCapabilities(Given.can(FrameworkInfo.Capability.Type.RESERVATION_REFINEMENT)));
  }

  private static Resource reserved(String name, double value) {
    return Resource.newBuilder()
        .setName(name)
        .setType(Value.Type.SCALAR)
        .setScalar(Value.Scalar.newBuilder().setValue(value))
        .addReservations(
            Resource.ReservationInfo.newBuilder()
                .setType(Resource.ReservationInfo.Type.DYNAMIC)
                .setRole("r"))
        .build();
  }

  private static Resource volume(String id, double value) {
    return reserved("disk", value).toBuilder()
        .setDisk(
            Resource.DiskInfo.newBuilder()
                .setPersistence(Resource.DiskInfo.Persistence.newBuilder().setId(id))
                .setVolume(Volume.newBuilder().setContainerPath("data").setMode(Volume.Mode.RW)))
        .build();
  }

  private static Operation.Builder operation(Operation.Type type) {
    return Operation.newBuilder().setType(type);
  }

  private static Operation reserve(Resource... resources) {
    return operation(Operation.Type.RESERVE)
        .setReserve(Operation.Reserve.newBuilder().addAllResources(List.of(resources)))
        .build();
  }

  private static Operation unreserve(Resource... resources) {
    return operation(Operation.Type.UNRESERVE)
        .setUnreserve(Operation.Unreserve.newBuilder().addAllResources(List.of(resources)))
        .build();
  }

  private static Operation create(Resource... volumes) {
    return operation(Operation.Type.CREATE)
        .setCreate(Operation.Create.newBuilder().addAllVolumes(List.of(volumes)))
        .build();
  }

  private static Operation destroy(Resource... volumes) {
    return operation(Operation.Type.DESTROY)
        .setDestroy(Operation.Destroy.newBuilder().addAllVolumes(List.of(volumes)))
        .build();
  }

  private static Operation grow(Resource volume, Resource addition) {
    return operation(Operation.Type.GROW_VOLUME)
        .setGrowVolume(Operation.GrowVolume.newBuilder().setVolume(volume).setAddition(addition))
        .build();
  }

  private static Operation called(String id, Operation operation) {
    return operation.toBuilder().setId(OperationID.newBuilder().setValue(id)).build();
  }

  private static Resources resources(Resource... resources) {
    try {
      return Resources.of(List.of(resources));
    } catch (ResourceFormatException e) {
      throw new IllegalArgumentException(e);
    }
  }

  private Given accept(String offered, Operation... operations) {
    Offer offer = given.offer(framework, agent, offered);
    return given.accept(framework, List.of(offer), operations);
  }

  private List<ApplyOperation> applied() {
    return given.toldAgent(agent).stream()
        .filter(MasterEvent::hasApplyOperation)
        .map(MasterEvent::getApplyOperation)
        .toList();
  }

  private List<OperationStatus> told() {
    return given.sentTo(framework).stream()
        .filter(Event::hasUpdateOperationStatus)
        .map(event -> event.getUpdateOperationStatus().getStatus())
        .toList();
  }

  private Given answered(
      ApplyOperation applied, OperationState state, Optional<ByteString> statusUuid) {
    OperationStatus.Builder status =
        OperationStatus.newBuilder()
            .setState(state)
            .setAgentId(applied.getOperation().getAgentId());
    if (applied.getOperation().getInfo().hasId()) {
      status.setOperationId(applied.getOperation().getInfo().getId());
    }
    statusUuid.ifPresent(it -> status.setUuid(UUID.newBuilder().setValue(it)));
    OperationUpdate update =
        OperationUpdate.newBuilder()
            .setOperationUuid(applied.getOperation().getUuid().getValue())
            .setStatus(status)
            .build();
    return given.run(tx -> AgentOperations.update(tx, agent, update));
  }

  /** Rules 59, 62, 298, 300, 304: each sees what the one before has made. */
  @Test
  void whatOneMakesTheNextOneUses() {
    accept(
        "cpus:2;disk:50",
        reserve(reserved("cpus", 1), reserved("disk", 20)),
        create(volume("v", 10)),
        Given.launching(
            given
                .command("t", agent, "cpus:0.1")
                .clearResources()
                .addResources(reserved("cpus", 1))
                .addResources(volume("v", 10))));
    assertThat(given.task(framework, "t")).isNotNull();
    assertThat(applied())
        .extracting(it -> it.getOperation().getInfo().getType())
        .containsExactly(Operation.Type.RESERVE, Operation.Type.CREATE);
    assertThat(applied().get(0).getOperation().getInfo().getReserve().getResources(0))
        .isEqualTo(reserved("cpus", 1));
    assertThat(given.account(agent).free())
        .isEqualTo(Given.resources("cpus:3;mem:64;disk:80").plus(resources(reserved("disk", 10))));
    assertThat(given.account(agent).total())
        .isEqualTo(
            Given.resources("cpus:3;mem:64;disk:80")
                .plus(resources(reserved("cpus", 1), reserved("disk", 10), volume("v", 10))));
    // The rest of what was offered is refused for a while, what was made is not.
    assertThat(given.filters(framework))
        .singleElement()
        .satisfies(it -> assertThat(it.resources()).isEqualTo(Given.resources("cpus:1;disk:30")));
  }

  /** Rules 310, 311: told by what the agent says, and kept until it was acknowledged. */
  @Test
  void whoGivesAnIdHearsOfItAndAcknowledges() {
    accept("cpus:1", called("o", reserve(reserved("cpus", 1))));
    ApplyOperation applied = applied().get(0);
    assertThat(told()).isEmpty();
    answered(applied, OperationState.OPERATION_FINISHED, Optional.of(STATUS));
    assertThat(told())
        .singleElement()
        .satisfies(
            it -> {
              assertThat(it.getState()).isEqualTo(OperationState.OPERATION_FINISHED);
              assertThat(it.getUuid().getValue()).isEqualTo(STATUS);
            });
    given.run(tx -> AgentOperations.reconcile(tx, framework, List.of()));
    assertThat(told()).singleElement().satisfies(it -> assertThat(it.hasUuid()).isFalse());

    acknowledge("other", STATUS);
    assertThat(given.state().operations().all()).hasSize(1);
    acknowledge("o", STATUS);
    assertThat(given.toldAgent(agent))
        .singleElement()
        .satisfies(
            it -> assertThat(it.getAcknowledgeOperation().getStatusUuid()).isEqualTo(STATUS));
    assertThat(given.state().operations().all()).isEmpty();
  }

  private void acknowledge(String id, ByteString uuid) {
    Call.AcknowledgeOperationStatus call =
        Call.AcknowledgeOperationStatus.newBuilder()
            .setAgentId(given.agent(agent).info().getId())
            .setOperationId(OperationID.newBuilder().setValue(id))
            .setUuid(uuid)
            .build();
    given.run(tx -> AgentOperations.acknowledge(tx, framework, call));
  }

  @Test
  void withoutAnIdNobodyIsToldAndNothingStays() {
    accept("cpus:1", reserve(reserved("cpus", 1)));
    answered(applied().get(0), OperationState.OPERATION_FINISHED, Optional.empty());
    assertThat(told()).isEmpty();
    assertThat(given.state().operations().all()).isEmpty();
  }

  /** What the agent did not do is undone in the ledger. */
  @Test
  void whatTheAgentRefusesIsUndone() {
    accept("cpus:1", called("o", reserve(reserved("cpus", 1))));
    ApplyOperation applied = applied().get(0);
    given.offer(framework, agent, "mem:1");
    answered(applied, OperationState.OPERATION_DROPPED, Optional.of(STATUS));
    assertThat(told().get(0).getState()).isEqualTo(OperationState.OPERATION_DROPPED);
    assertThat(given.account(agent).total()).isEqualTo(Given.resources("cpus:4;mem:64;disk:100"));
    assertThat(given.state().offers()).hasSize(1);
  }

  /** As recorded: texts of what is wrong, for operations with an id. */
  @Test
  void whatIsWrongIsToldAndTheNextOneGoesOn() {
    String where = "; on agent " + agent + " at slave(1)@10.0.0.1:5051 (h1)";
    Resource other =
        reserved("cpus", 1).toBuilder()
            .setReservations(0, reserved("cpus", 1).getReservations(0).toBuilder().setRole("zz"))
            .build();
    accept(
        "cpus:2;disk:20",
        called("1", reserve(reserved("cpus", 1000))),
        called("2", reserve(other)),
        called("3", unreserve(reserved("cpus", 1))),
        called("4", create(reserved("disk", 10))),
        called("5", grow(volume("v1", 10), reserved("disk", 1))),
        called("6", destroy(volume("v", 1))),
        called("7", create(volume("a/b", 1))),
        called(
            "8",
            operation(Operation.Type.CREATE_DISK)
                .setCreateDisk(
                    Operation.CreateDisk.newBuilder()
                        .setSource(reserved("disk", 1))
                        .setTargetType(Resource.DiskInfo.Source.Type.MOUNT))
                .build()),
        called("9", reserve(reserved("cpus", 1))));
    assertThat(told())
        .extracting(OperationStatus::getState)
        .containsOnly(OperationState.OPERATION_ERROR);
    assertThat(told())
        .extracting(it -> it.getOperationId().getValue())
        .containsExactly("1", "2", "3", "4", "5", "6", "7", "8");
    assertThat(told().get(0).getMessage()).endsWith(" does not contain cpus(allocated: r):1000");
    assertThat(told().get(1).getMessage())
        .isEqualTo(
            "A reserve operation was attempted for a resource with role 'zz', but the resource was"
                + " allocated to role 'r'"
                + where);
    assertThat(told().get(2).getMessage())
        .endsWith(" does not contain cpus(allocated: r)(reservations: [(DYNAMIC,r)]):1");
    assertThat(told().get(3).getMessage())
        .isEqualTo(
            "Not a persistent volume: Resource"
                + " disk(allocated: r)(reservations: [(DYNAMIC,r)]):10 does not have DiskInfo"
                + where);
    assertThat(told().get(4).getMessage())
        .startsWith("Invalid GROW_VOLUME operation: ")
        .endsWith("[v1:data]:10; disk(allocated: r)(reservations: [(DYNAMIC,r)]):1");
    assertThat(told().get(5).getMessage()).startsWith("Persistent volumes not found");
    assertThat(told().get(6).getMessage()).contains("'a/b' contains invalid characters");
    assertThat(applied()).hasSize(1);
  }

  @Test
  void whatMayNotBeDoneIsNotDone() {
    given.settings(it -> it.consulting(true));
    accept("cpus:2", called("no", reserve(reserved("cpus", 1))), reserve(reserved("cpus", 1)));
    assertThat(given.only(Effect.Consult.class).consultation().questions())
        .extracting(it -> it.operation() + " " + it.action() + " " + it.object().value().get())
        .containsExactly("0 RESERVE_RESOURCES r", "1 RESERVE_RESOURCES r");
    given.answered(new Consultation.Answer(Set.of(), Set.of(0), Map.of(), Map.of()));
    assertThat(told().get(0).getMessage()).isEqualTo("Not authorized to RESERVE");
    assertThat(applied()).hasSize(1);
  }

  /** Rules 268 to 270: offers give way, tasks do not. */
  @Test
  void operatorsTakeFromOffersButNotFromTasks() {
    given.running(framework, agent, "t", "cpus:2");
    given.offer(framework, agent, "cpus:1");
    given.offer(framework, agent, "mem:1");
    assertThat(operate(reserve(reserved("cpus", 3))))
        .hasValueSatisfying(it -> assertThat(it).endsWith("does not contain cpus:3"));
    assertThat(given.state().offers()).hasSize(2);

    assertThat(operate(reserve(reserved("cpus", 2)))).isEmpty();
    assertThat(given.state().offers()).hasSize(1);
    assertThat(given.typesTo(framework)).containsExactly(Event.Type.RESCIND);
    assertThat(applied()).hasSize(1);
    assertThat(given.account(agent).free())
        .isEqualTo(Given.resources("mem:63;disk:100").plus(resources(reserved("cpus", 2))));

    assertThat(operate(unreserve(reserved("cpus", 2)))).isEmpty();
    assertThat(given.account(agent).free()).isEqualTo(Given.resources("cpus:2;mem:63;disk:100"));
  }

  private Optional<String> operate(Operation operation) {
    @SuppressWarnings("unchecked")
    Optional<String>[] refused = new Optional[1];
    given.run(tx -> refused[0] = AgentOperations.operate(tx, tx.agent(agent), operation));
    return refused[0];
  }

  @Test
  void operatorsAreToldWhatIsWrong() {
    assertThat(problem(reserve(resource("cpus", 1))))
        .isEqualTo(
            "Invalid RESERVE operation on agent "
                + agent
                + " at slave(1)@10.0.0.1:5051 (h1): Resource cpus:1 is not dynamically reserved");
    assertThat(problem(unreserve(resource("disk", 1))))
        .isEqualTo("Invalid UNRESERVE operation: Resource disk:1 is not dynamically reserved");
    assertThat(problem(destroy(resource("disk", 1))))
        .isEqualTo(
            "Invalid DESTROY operation: Not a persistent volume: Resource disk:1 does not have"
                + " DiskInfo");
    assertThat(problem(create(volume("a/b", 10))))
        .isEqualTo(
            "Invalid CREATE operation on agent "
                + agent
                + " at slave(1)@10.0.0.1:5051 (h1): Invalid resources: Invalid DiskInfo: Invalid"
                + " persistence ID for persistent volume: 'a/b' contains invalid characters");
  }

  private static Resource resource(String name, double value) {
    return reserved(name, value).toBuilder().clearReservations().build();
  }

  private String problem(Operation operation) {
    return AgentOperations.problem(given.state(), given.agent(agent), Optional.empty(), operation)
        .orElseThrow();
  }

  /** Rules 144 and 151. */
  @Test
  void anAgentThatLeavesTakesItsOperationsWithIt() {
    accept("cpus:2", called("o", reserve(reserved("cpus", 1))), reserve(reserved("cpus", 1)));
    given.unreachable(agent);
    assertThat(told())
        .singleElement()
        .satisfies(it -> assertThat(it.getState()).isEqualTo(OperationState.OPERATION_UNREACHABLE));
    assertThat(given.state().operations().all()).isEmpty();
  }

  @Test
  void aRegistrationTellsOfOperationsAndIsAskedForOthers() {
    accept("cpus:1", reserve(reserved("cpus", 1)));
    var asked = applied().get(0).getOperation();
    var unknown = asked.toBuilder().setUuid(UUID.newBuilder().setValue(STATUS)).build();
    given.reregister(given.reregistering(agent).addOperations(unknown));
    assertThat(given.state().operations().all()).hasSize(2);
    assertThat(given.toldAgent(agent))
        .filteredOn(MasterEvent::hasReconcileOperations)
        .singleElement()
        .satisfies(
            it ->
                assertThat(it.getReconcileOperations().getOperationUuidsList())
                    .containsExactly(asked.getUuid().getValue()));
    assertThat(given.account(agent).total().reserved()).isEmpty();
  }

  @Test
  void aTaskUsesTheVolumeOfALaterOffer() {
    accept("disk:50", reserve(reserved("disk", 20)), create(volume("v", 10)));
    Offer offer =
        given.offer(
            framework, "r", agent, resources(volume("v", 10)).plus(Given.resources("cpus:1")));
    given.accept(
        framework,
        List.of(offer),
        Given.launching(given.command("t", agent, "cpus:1").addResources(volume("v", 10))));
    assertThat(given.task(framework, "t").state()).isEqualTo(TaskState.TASK_STAGING);
  }
}
