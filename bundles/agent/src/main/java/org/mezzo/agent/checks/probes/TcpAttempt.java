package org.mezzo.agent.checks.probes;

import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;
import org.mezzo.agent.checks.Outcome;
import org.mezzo.agent.checks.Probe;

/** Connects, and that is all. */
final class TcpAttempt extends Attempt {
  private final Probe.Tcp probe;

  TcpAttempt(
      NetworkProbes probes, Probe.Tcp probe, long pid, Duration timeout, Consumer<Outcome> done) {
    super(probes, pid, timeout, done);
    this.probe = probe;
  }

  @Override
  void connect() throws IOException {
    dial(loopback(probe.ipv6()), probe.port());
  }

  @Override
  void connected() {
    finish(new Outcome.Connected(true, ""));
  }

  @Override
  Outcome refused(String reason) {
    return new Outcome.Connected(false, reason);
  }

  @Override
  void goOn() {
    // Nothing is waited for but the connection.
  }
}
