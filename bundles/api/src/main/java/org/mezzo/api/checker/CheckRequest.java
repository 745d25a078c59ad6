package org.mezzo.api.checker;

import java.io.IOException;
import java.net.InetAddress;
import java.time.Duration;
import org.mezzo.protocol.v1.CheckInfo;
import org.osgi.annotation.versioning.ProviderType;

/** One look at a task. Safe for any thread. */
@ProviderType
public interface CheckRequest {

  /** HTTP or TCP, whichever the name of the checker says. */
  CheckInfo.Type type();

  /** The id of the task, for logs. */
  String task();

  /** The port, unsigned, and maybe none that exists. */
  int port();

  /** Whether of {@code ::1}, else of {@code 127.0.0.1}. */
  boolean ipv6();

  /** HTTP: whether by https; nobody looks at the certificate (rule 231). */
  boolean secure();

  /** HTTP: what to ask for, as the framework gave it; empty, or beginning with a slash. */
  String path();

  /** How long it may take, after which it has failed; zero for ever. */
  Duration timeout();

  /**
   * Begins to connect, in the network of the task, which may be another one than that of this
   * process. Does not block.
   *
   * @param address where, as seen from the task; usually its loopback
   * @param port from 1 to 65,535
   * @return what is to be closed when it is not needed any more; the agent closes what is left 10
   *     seconds after the look has ended
   * @throws IOException when there cannot be a connection; {@link java.net.ConnectException} when
   *     it was refused
   * @throws IllegalArgumentException when there is no such port
   */
  Connecting connect(InetAddress address, int port) throws IOException;
}
