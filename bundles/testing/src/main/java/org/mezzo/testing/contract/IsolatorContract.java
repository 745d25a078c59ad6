package org.mezzo.testing.contract;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.ContainerLimitation;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.api.isolator.LaunchPlan;
import org.mezzo.api.isolator.RecoveredContainer;
import org.mezzo.api.isolator.RecoveredContainer.Phase;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.NetworkInfo;
import org.mezzo.protocol.v1.RLimitInfo;
import org.mezzo.resources.Resources;
import org.mezzo.testing.FakeSink;

/**
 * The rules of {@link Isolator}: whatever is made for a container goes with {@code cleanup}, at
 * whatever step its launch ended, by whichever instance it was made; {@code cleanup} can be asked
 * twice and of unknown containers; and an instance that takes over goes on with what it is told in
 * {@code recover}. {@link ModuleContract} says how to extend it.
 *
 * <p>Containers are processes that do nothing. Where yours need more than that, override {@link
 * #container} or {@link #process}; say in {@link #made} what your isolator makes outside of the
 * folders of its agent.
 */
public abstract class IsolatorContract extends ModuleContract<Isolator> {
  private static final int CONTAINERS = 4;

  private final List<Process> processes = new ArrayList<>();
  private final FakeSink<ContainerLimitation> limitations = new FakeSink<>();
  private int lastId;

  /** For subclasses. */
  protected IsolatorContract() {}

  /**
   * A container as your isolator can have it; by default with {@code cpus:0.5;mem:64;disk:64}.
   *
   * @param plain to build on; its id stays
   */
  protected Container.Builder container(Container.Builder plain) throws Exception {
    return plain;
  }

  /** The first process of a container: by default one of this machine that does nothing. */
  protected long process(Container container) throws Exception {
    Process process = Traces.own(new ProcessBuilder("sleep", "300").start());
    processes.add(process);
    return process.pid();
  }

  /**
   * The names of all that the isolator has made and not removed, beside the files in the folders of
   * its agent, which the kit looks at: cgroups for example. Empty by default.
   */
  protected Set<String> made() throws Exception {
    return Set.of();
  }

  /**
   * A machine does its part after all processes of a container are gone, before {@code cleanup} is
   * asked. By default there is nothing to do.
   */
  protected void ended(Container container) throws Exception {}

  /** Ends what {@link #process} has started. */
  @AfterEach
  void endProcesses() throws InterruptedException {
    for (Process process : processes) {
      process.destroyForcibly();
      process.waitFor(1, TimeUnit.MINUTES);
    }
  }

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  @Override
  void begin(Instance<Isolator> isolator) {
    recover(isolator, List.of());
  }

  private void recover(Instance<Isolator> isolator, List<RecoveredContainer> containers) {
    isolator.tell("limitations", it -> it.limitations(limitations));
    isolator.tell("recover", it -> it.recover(containers));
  }

  @Override
  void use(Instance<Isolator> isolator, Random random) throws Exception {
    for (int i = 0; i < 2; i++) {
      Launched launched = isolate(isolator, prepare(isolator));
      lookAt(isolator, launched.container);
      cleanup(isolator, launched.container);
    }
  }

  /** A container that was prepared, and what the agent keeps of its plan. */
  private record Launched(Container container, byte[] state) {}

  private Container next() throws Exception {
    String id = "container-" + ++lastId;
    Path sandbox = Files.createDirectories(kitFolder.resolve("sandboxes").resolve(id));
    Resources resources = Samples.resources("cpus:0.5;mem:64;disk:64");
    return container(Container.builder(id, sandbox).resources(resources, Resources.EMPTY)).build();
  }

  private Launched prepare(Instance<Isolator> isolator) throws Exception {
    Container container = next();
    LaunchPlan plan = isolator.ask("prepare", it -> it.prepare(container));
    return new Launched(container, plan.state());
  }

  private Launched isolate(Instance<Isolator> isolator, Launched prepared) throws Exception {
    long pid = process(prepared.container);
    isolator.tell("isolate", it -> it.isolate(prepared.container, pid));
    return new Launched(prepared.container.toBuilder().pid(pid).build(), prepared.state);
  }

  private static void lookAt(Instance<Isolator> isolator, Container running) {
    isolator.ask("usage", it -> it.usage(running));
    isolator.ask("status", it -> it.status(running));
    Container grown =
        running.toBuilder()
            .resources(running.resources().plus(running.resources()), running.limits())
            .build();
    for (Container wanted : List.of(grown, grown, running)) {
      isolator.tell("update", it -> it.update(wanted));
    }
    isolator.ask("usage", it -> it.usage(running));
  }

  private void cleanup(Instance<Isolator> isolator, Container container) throws Exception {
    endProcesses();
    ended(container);
    isolator.tell("cleanup", it -> it.cleanup(container));
  }

  private Set<String> all(Instance<Isolator> isolator) throws Exception {
    Set<String> all = new TreeSet<>(made());
    all.addAll(below(isolator.context().workDir()));
    all.addAll(below(isolator.context().runtimeDir()));
    isolator.context().metrics().names().forEach(name -> all.add("metric " + name));
    return all;
  }

  private void balanced(Instance<Isolator> isolator, Set<String> before) throws Exception {
    Set<String> after = all(isolator);
    after.removeAll(before);
    check(after.isEmpty(), "After cleanup of all containers there still is " + after);
  }

  /** One container after the other, so that what the first one makes for all of them counts not. */
  private Set<String> warm(Instance<Isolator> isolator) throws Exception {
    use(isolator, random());
    return all(isolator);
  }

  /** What was made for a container goes with it, and its numbers too, whatever their order. */
  @Test
  public void cleanupLeavesNothingOfAContainer() throws Exception {
    Instance<Isolator> isolator = opened();
    Set<String> before = warm(isolator);
    List<Container> running = new ArrayList<>();
    for (int i = 0; i < CONTAINERS; i++) {
      Container container = isolate(isolator, prepare(isolator)).container;
      lookAt(isolator, container);
      running.add(i / 2, container);
    }
    for (Container container : running) {
      cleanup(isolator, container);
    }
    balanced(isolator, before);
    isolator.close();
  }

  /**
   * Launches end at any step: before anything was prepared, before there was a process, and before
   * anybody looked at it. {@code cleanup} comes all the same.
   */
  @Test
  public void cleansUpAfterLaunchesThatFailed() throws Exception {
    Instance<Isolator> isolator = opened();
    Set<String> before = warm(isolator);
    cleanup(isolator, next());
    cleanup(isolator, prepare(isolator).container);
    Container gone = prepare(isolator).container;
    Process ended = Traces.own(new ProcessBuilder("true").start());
    ended.waitFor();
    isolator.attempt(
        "isolate of a process that is gone",
        it -> {
          it.isolate(gone, ended.pid());
          return gone;
        });
    cleanup(isolator, gone.toBuilder().pid(ended.pid()).build());
    balanced(isolator, before);
    isolator.close();
  }

  /** {@code cleanup} again, and of what was never heard of, changes nothing. */
  @Test
  public void cleanupCanBeAskedTwice() throws Exception {
    Instance<Isolator> isolator = opened();
    Set<String> before = warm(isolator);
    Container container = isolate(isolator, prepare(isolator)).container;
    Launched other = isolate(isolator, prepare(isolator));
    for (int i = 0; i < 2; i++) {
      cleanup(isolator, container);
      cleanup(isolator, next());
    }
    cleanup(isolator, other.container);
    balanced(isolator, before);
    isolator.close();
  }

  /**
   * A successor is told what there is, prepared and isolated, with the state that the plans had,
   * and goes on: it isolates, looks at, updates and cleans up what the one before has begun.
   */
  @Test
  public void takesOverWhatAnotherInstanceHasBegun() throws Exception {
    Instance<Isolator> old = opened();
    Set<String> before = warm(old);
    Launched prepared = prepare(old);
    Launched running = isolate(old, prepare(old));
    Launched isolatedUnnoted = prepare(old);
    long pid = process(isolatedUnnoted.container);
    old.tell("isolate", it -> it.isolate(isolatedUnnoted.container, pid));
    Instance<Isolator> next = instance(plain("daemon"));
    next.open();
    recover(
        next,
        List.of(
            RecoveredContainer.of(prepared.container, Phase.PREPARED, prepared.state),
            RecoveredContainer.of(running.container, Phase.ISOLATED, running.state),
            RecoveredContainer.of(
                isolatedUnnoted.container, Phase.PREPARED, isolatedUnnoted.state)));
    old.close();
    lookAt(next, running.container);
    Launched isolated = isolate(next, prepared);
    lookAt(next, isolated.container);
    next.tell("isolate again", it -> it.isolate(isolatedUnnoted.container, pid));
    for (Launched each : List.of(isolated, running, isolatedUnnoted)) {
      cleanup(next, each.container);
    }
    balanced(next, before);
    next.close();
  }

  /**
   * An agent of which the machine was taken tells containers that nobody has noted anything of:
   * without state, perhaps without a process, to be cleaned up.
   */
  @Test
  public void recoversContainersItHasNeverHeardOf() throws Exception {
    Instance<Isolator> first = opened();
    Set<String> before = warm(first);
    first.close();
    Instance<Isolator> isolator = instance(plain("daemon"));
    isolator.open();
    Container unnoted = next();
    long pid = process(unnoted);
    Container running = unnoted.toBuilder().pid(pid).build();
    Container prepared = next();
    recover(
        isolator,
        List.of(
            RecoveredContainer.of(running, Phase.ISOLATED, new byte[0]),
            RecoveredContainer.of(prepared, Phase.PREPARED, new byte[0])));
    cleanup(isolator, running);
    cleanup(isolator, prepared);
    balanced(isolator, before);
    isolator.close();
  }

  /**
   * What an instance finds of containers that it is not told of is left over and its to remove: an
   * agent that was killed and starts again knows them no more.
   */
  @Test
  public void removesWhatIsLeftOfContainersThatNobodyKnows() throws Exception {
    Instance<Isolator> first = opened();
    Set<String> before = warm(first);
    Container lost = isolate(first, prepare(first)).container;
    first.close();
    endProcesses();
    ended(lost);
    Instance<Isolator> isolator = opened();
    balanced(isolator, before);
    isolator.close();
  }

  /**
   * What users write in the description of a container may be refused, by a checked exception with
   * a message, but is no reason for one that counts against the module.
   */
  @Test
  public void refusesWhatUsersGetWrongByACheckedException() throws Exception {
    Instance<Isolator> isolator = opened();
    RLimitInfo.RLimit odd =
        RLimitInfo.RLimit.newBuilder().setType(RLimitInfo.RLimit.Type.RLMT_CORE).setSoft(2).build();
    for (ContainerInfo.Builder info :
        List.of(
            ContainerInfo.newBuilder(),
            ContainerInfo.newBuilder()
                .setRlimitInfo(RLimitInfo.newBuilder().addRlimits(odd).addRlimits(odd)),
            ContainerInfo.newBuilder()
                .setRlimitInfo(
                    RLimitInfo.newBuilder()
                        .addRlimits(RLimitInfo.RLimit.newBuilder().setHard(1).setSoft(2))),
            ContainerInfo.newBuilder()
                .setHostname("")
                .addNetworkInfos(NetworkInfo.newBuilder().setName("")))) {
      Container odds =
          next().toBuilder().info(info.setType(ContainerInfo.Type.MESOS).build()).build();
      isolator.attempt("prepare", it -> it.prepare(odds));
      cleanup(isolator, odds);
    }
    isolator.close();
  }
}
