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
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.protocol.v1.MasterInfo;
import org.mezzo.testing.FakeSink;

/**
 * The rules of {@link MasterDetector}: it reports the master that leads by itself, soon and in a
 * form that daemons take, and each change, where your test can make one; an instance that takes
 * over reports it, too; and none does after it was closed. {@link ModuleContract} says how to
 * extend it.
 */
public abstract class MasterDetectorContract extends ModuleContract<MasterDetector> {
  private static final int ASKED = 3;
  private static final int MOST_PORT = 65_535;
  private static final Duration SOON = Duration.ofSeconds(5);
  private static final long LOOK_MILLIS = 5;

  private final Map<Instance<MasterDetector>, FakeSink<Optional<MasterInfo>>> sinks =
      new WeakHashMap<>();

  /** For subclasses. */
  protected MasterDetectorContract() {}

  /** Whether the daemon that it is opened for is a master; an agent otherwise. */
  protected boolean besideMaster() {
    return false;
  }

  /**
   * The {@code host:port} of the master that leads where the instances look ({@link #context}); not
   * empty in the beginning.
   */
  protected abstract Optional<String> leader() throws Exception;

  /**
   * Lets another master lead, or none, where the instances look, and {@link #leader} say so. A
   * detector of which that cannot be changed leaves it, and is not tested with changes.
   *
   * @param next {@code host:port}; empty for none
   * @return whether it was done
   */
  protected boolean elect(Optional<String> next) throws Exception {
    return false;
  }

  @Override
  Role role() {
    return besideMaster() ? Role.MASTER : Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(5);
  }

  @Override
  void begin(Instance<MasterDetector> instance) {
    begin(instance, new FakeSink<>());
  }

  private void begin(Instance<MasterDetector> instance, FakeSink<Optional<MasterInfo>> sink) {
    sinks.put(instance, sink);
    instance.tell("detect", it -> it.detect(sink));
  }

  @Override
  void use(Instance<MasterDetector> instance, Random random) throws Exception {
    for (int i = 0; i < ASKED; i++) {
      Optional<String> illness = instance.health();
      check(
          illness.isEmpty(),
          "health says '"
              + illness.orElse("")
              + "' of an instance whose surroundings are whole; give the kit what it needs by"
              + " context(plain)");
    }
    awaitReport(instance);
  }

  /** Awaits that the leader there is was reported last. */
  private void awaitReport(Instance<MasterDetector> instance) throws Exception {
    FakeSink<Optional<MasterInfo>> sink = sinks.get(instance);
    Optional<String> wanted = leader();
    long end = System.nanoTime() + SOON.toNanos() * patience();
    while (true) {
      List<Optional<MasterInfo>> reports = sink.reports();
      reports.forEach(MasterDetectorContract::checkReport);
      Optional<Optional<String>> last =
          reports.isEmpty()
              ? Optional.empty()
              : Optional.of(reports.get(reports.size() - 1).map(MasterDetectorContract::place));
      if (last.equals(Optional.of(wanted))) {
        return;
      }
      check(
          System.nanoTime() < end,
          (last.isEmpty() ? "nothing" : "'" + last.get().orElse("none") + "'")
              + " was reported last, while '"
              + wanted.orElse("none")
              + "' leads");
      TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
    }
  }

  private static String host(MasterInfo master) {
    if (master.getAddress().hasIp()) {
      return master.getAddress().getIp();
    }
    return master.getAddress().hasHostname()
        ? master.getAddress().getHostname()
        : master.getHostname();
  }

  private static String place(MasterInfo master) {
    return host(master)
        + ":"
        + (master.getAddress().hasPort() ? master.getAddress().getPort() : master.getPort());
  }

  private static void checkReport(Optional<MasterInfo> report) {
    if (report.isEmpty()) {
      return;
    }
    MasterInfo master = report.get();
    check(
        master.isInitialized(),
        "a master was reported without " + String.join(", ", master.findInitializationErrors()));
    check(
        master.getSerializedSize() <= MasterDetector.MOST_BYTES,
        "a master was reported with " + master.getSerializedSize() + " bytes");
    check(
        host(master).matches("[A-Za-z0-9._%:-]{1,253}|\\[[0-9A-Fa-f:.]+]"),
        "'" + host(master) + "' was reported as an address");
    check(
        master.getPort() > 0 && master.getPort() <= MOST_PORT,
        "the port of a master was reported as " + master.getPort());
  }

  /** Each master that comes to lead is reported, and that none does. */
  @Test
  public void reportsEachChange() throws Exception {
    Optional<String> first = leader();
    Assumptions.assumeTrue(
        elect(Optional.of("127.0.0.1:6001")), "another master cannot be made to lead here");
    Instance<MasterDetector> instance = opened();
    awaitReport(instance);
    for (Optional<String> next :
        List.of(Optional.<String>empty(), first, Optional.of("127.0.0.1:6002"))) {
      elect(next);
      awaitReport(instance);
    }
    instance.close();
    elect(first);
  }

  /** A daemon that takes no reports any more, as one that has another detector, is nothing bad. */
  @Test
  public void standsThatNobodyListens() throws Exception {
    Optional<String> first = leader();
    Instance<MasterDetector> instance = instance(plain("daemon"));
    instance.open();
    begin(instance, new FakeSink<Optional<MasterInfo>>().answering(Sink.Receipt.RETIRED));
    if (elect(Optional.of("127.0.0.1:6001"))) {
      elect(Optional.empty());
      elect(Optional.of("127.0.0.1:6002"));
    }
    instance.health();
    instance.close();
    elect(first);
  }

  /** One that is closed says nothing more, whoever comes to lead. */
  @Test
  public void isSilentOnceItIsClosed() throws Exception {
    Instance<MasterDetector> instance = opened();
    awaitReport(instance);
    FakeSink<Optional<MasterInfo>> sink = sinks.get(instance);
    Optional<String> first = leader();
    instance.close();
    int reports = sink.reports().size();
    elect(Optional.of("127.0.0.1:6001"));
    Instance<MasterDetector> next = opened();
    awaitReport(next);
    next.close();
    check(
        sink.reports().size() == reports,
        sink.reports().size() - reports + " reports came from an instance that was closed");
    elect(first);
  }

  /** Daemons of one process each have an instance; the end of one is nothing to the others. */
  @Test
  public void servesSeveralDaemonsOfOneProcess() throws Exception {
    Instance<MasterDetector> first = opened();
    Instance<MasterDetector> second = instance(plain("another"));
    second.open();
    begin(second);
    use(first, random());
    first.close();
    use(second, random());
    second.close();
  }
}
