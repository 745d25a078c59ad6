package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.Sink;
import org.mezzo.api.contender.MasterContender;
import org.mezzo.api.contender.Standing;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeSink;

/**
 * The rules of {@link MasterContender}: it says nothing before it enters and after it has left,
 * wins when nobody else stands, one wins of several, the next one when the first leaves, who has
 * left can enter again, and a successor of the same master wins when the instance before it leaves,
 * without having said that it follows. Where the instances stand ({@link #context}) nobody else
 * must stand. {@link ModuleContract} says how to extend it.
 */
public abstract class MasterContenderContract extends ModuleContract<MasterContender> {
  private static final int ASKED = 3;
  private static final int PORT = 6000;
  private static final Duration SOON = Duration.ofSeconds(10);
  private static final long LOOK_MILLIS = 5;

  private final Map<Instance<MasterContender>, FakeSink<Standing>> sinks = new WeakHashMap<>();

  /** For subclasses. */
  protected MasterContenderContract() {}

  /** Whether masters stand against each other; not where each leads that wants to. */
  protected boolean hasRivals() {
    return true;
  }

  @Override
  Role role() {
    return Role.MASTER;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  private static MasterInfo master(int number) {
    return MasterInfo.newBuilder()
        .setId("master-" + number)
        .setIp(16_777_343)
        .setPort(PORT + number)
        .setHostname("localhost")
        .setAddress(
            Address.newBuilder().setHostname("localhost").setIp("127.0.0.1").setPort(PORT + number))
        .build();
  }

  private void listen(Instance<MasterContender> instance, FakeSink<Standing> sink) {
    sinks.put(instance, sink);
    instance.tell("report", it -> it.report(sink));
  }

  private static void enter(Instance<MasterContender> instance, int number) {
    instance.tell("enter", it -> it.enter(master(number)));
  }

  private static void leave(Instance<MasterContender> instance) {
    instance.tell("leave", MasterContender::leave);
  }

  @Override
  void begin(Instance<MasterContender> instance) {
    listen(instance, new FakeSink<>());
    check(
        sinks.get(instance).reports().isEmpty(),
        "a master that does not stand for election was told how it stands");
    enter(instance, 0);
  }

  @Override
  void takeOver(Instance<MasterContender> before, Instance<MasterContender> next) {
    begin(next);
    checkNothingLost(next);
  }

  private void checkNothingLost(Instance<MasterContender> instance) {
    sinks
        .get(instance)
        .reports()
        .forEach(
            it ->
                check(
                    it.isLeading(),
                    "a successor reported '"
                        + it
                        + "' while its own master led, by the instance before"));
  }

  @Override
  void use(Instance<MasterContender> instance, Random random) throws Exception {
    for (int i = 0; i < ASKED; i++) {
      Optional<String> illness = instance.health();
      check(
          illness.isEmpty(),
          "health says '"
              + illness.orElse("")
              + "' of an instance whose surroundings are whole; give the kit what it needs by"
              + " context(plain)");
    }
    // Entering is done once for all, so that a daemon may ask for it as often as it likes.
    enter(instance, 0);
    awaitLeading(instance, true);
  }

  private Optional<Standing> last(Instance<MasterContender> instance) {
    List<Standing> reports = sinks.get(instance).reports();
    return reports.isEmpty() ? Optional.empty() : Optional.of(reports.get(reports.size() - 1));
  }

  private void awaitLeading(Instance<MasterContender> instance, boolean wanted) throws Exception {
    long end = System.nanoTime() + SOON.toNanos() * patience();
    while (last(instance).filter(it -> it.isLeading() == wanted).isEmpty()) {
      check(
          System.nanoTime() < end,
          "a master that is to "
              + (wanted ? "lead" : "follow")
              + " was told last: "
              + last(instance).map(Standing::toString).orElse("nothing"));
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  /** Who leaves leads no longer, says nothing more, and can come back. */
  @Test
  public void leavesAndEntersAgain() throws Exception {
    Instance<MasterContender> instance = opened();
    awaitLeading(instance, true);
    for (int round = 0; round < 2; round++) {
      leave(instance);
      int reports = sinks.get(instance).reports().size();
      leave(instance);
      check(
          sinks.get(instance).reports().size() == reports,
          "a master that has left the election was told how it stands");
      enter(instance, 0);
      long end = System.nanoTime() + SOON.toNanos() * patience();
      while (sinks.get(instance).reports().size() == reports) {
        check(System.nanoTime() < end, "a master that has entered again was told nothing");
        TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
      }
      awaitLeading(instance, true);
    }
    instance.close();
  }

  /** One of several leads; when it leaves, or is closed, another one does. */
  @Test
  public void oneLeadsAtATime() throws Exception {
    Assumptions.assumeTrue(hasRivals(), "nobody stands against each other here");
    Instance<MasterContender> first = opened();
    awaitLeading(first, true);
    Instance<MasterContender> second = instance(plain("second"));
    second.open();
    listen(second, new FakeSink<>());
    enter(second, 1);
    awaitLeading(second, false);
    check(last(first).orElseThrow().isLeading(), "a second master entered and the first one lost");

    leave(first);
    awaitLeading(second, true);
    enter(first, 0);
    awaitLeading(first, false);
    check(last(second).orElseThrow().isLeading(), "two masters lead");

    second.close();
    awaitLeading(first, true);
    first.close();
  }

  /** A daemon that takes no reports any more, as one that has another contender, is nothing bad. */
  @Test
  public void standsThatNobodyListens() throws Exception {
    Instance<MasterContender> instance = instance(plain("daemon"));
    instance.open();
    listen(instance, new FakeSink<Standing>().answering(Sink.Receipt.RETIRED));
    enter(instance, 0);
    instance.health();
    leave(instance);
    instance.close();
  }

  /** One that is closed does not stand in the way of who comes. */
  @Test
  public void leavesWhenItIsClosed() throws Exception {
    Instance<MasterContender> instance = opened();
    awaitLeading(instance, true);
    FakeSink<Standing> sink = sinks.get(instance);
    instance.close();
    int reports = sink.reports().size();
    Instance<MasterContender> next = instance(plain("next"));
    next.open();
    listen(next, new FakeSink<>());
    enter(next, 1);
    awaitLeading(next, true);
    next.close();
    check(
        sink.reports().size() == reports,
        sink.reports().size() - reports + " reports came from an instance that was closed");
  }
}
