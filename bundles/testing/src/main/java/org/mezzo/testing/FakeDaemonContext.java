package org.mezzo.testing;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import org.mezzo.api.DaemonContext;

/**
 * What a module is told of its daemon, without a daemon. Begin with {@link #master()} or {@link
 * #agent()} and change what the test is about.
 *
 * @param daemon as the role, unless changed
 * @param workDir a folder that does not exist, unless changed
 * @param runtimeDir a folder that does not exist, unless changed
 * @param metrics keeps what the module counts
 * @param rehearsal false, unless changed
 */
public record FakeDaemonContext(
    String daemon,
    Role role,
    Path workDir,
    Path runtimeDir,
    Map<String, String> flags,
    Map<String, String> parameters,
    FakeMetrics metrics,
    Clock clock,
    boolean rehearsal)
    implements DaemonContext {

  /** A master without flags and parameters, on the system's clock. */
  public static FakeDaemonContext master() {
    return of(Role.MASTER, "master");
  }

  /** An agent without flags and parameters, on the system's clock. */
  public static FakeDaemonContext agent() {
    return of(Role.AGENT, "agent");
  }

  private static FakeDaemonContext of(Role role, String daemon) {
    Path nowhere = Path.of("/nowhere");
    return new FakeDaemonContext(
        daemon,
        role,
        nowhere,
        nowhere,
        Map.of(),
        Map.of(),
        new FakeMetrics(),
        Clock.systemUTC(),
        false);
  }

  /** With these folders. */
  public FakeDaemonContext withFolders(Path work, Path runtime) {
    return new FakeDaemonContext(
        daemon, role, work, runtime, flags, parameters, metrics, clock, rehearsal);
  }

  /** With these flags instead of those before. */
  public FakeDaemonContext withFlags(Map<String, String> next) {
    return new FakeDaemonContext(
        daemon, role, workDir, runtimeDir, Map.copyOf(next), parameters, metrics, clock, rehearsal);
  }

  /** With these parameters instead of those before. */
  public FakeDaemonContext withParameters(Map<String, String> next) {
    return new FakeDaemonContext(
        daemon, role, workDir, runtimeDir, flags, Map.copyOf(next), metrics, clock, rehearsal);
  }

  /** With these numbers, as another instance of the module has them. */
  public FakeDaemonContext withMetrics(FakeMetrics next) {
    return new FakeDaemonContext(
        daemon, role, workDir, runtimeDir, flags, parameters, next, clock, rehearsal);
  }

  /** With a clock that the test drives. */
  public FakeDaemonContext withClock(Clock next) {
    return new FakeDaemonContext(
        daemon, role, workDir, runtimeDir, flags, parameters, metrics, next, rehearsal);
  }

  /** Of an instance that only rehearses. */
  public FakeDaemonContext rehearsing() {
    return new FakeDaemonContext(
        daemon, role, workDir, runtimeDir, flags, parameters, metrics, clock, true);
  }
}
