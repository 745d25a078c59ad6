package org.apache.mesos.v1.scheduler;

import java.io.IOException;
import java.util.Collections;
import java.util.Optional;
import org.apache.mesos.v1.Protos.Credential;
import org.apache.mesos.v1.Protos.FrameworkInfo;
import org.mezzo.driver.schedulers.Framework;
import org.mezzo.driver.sessions.Environment;

/**
 * As {@link V1Mesos}, for schedulers that name their framework when they make it: that one is
 * subscribed whatever SUBSCRIBE says, later on with the id that the master gave it. Thread-safe.
 */
public class V0Mesos extends SessionMesos {
  /** As below, without a credential. */
  public V0Mesos(Scheduler scheduler, FrameworkInfo framework, String master) {
    this(scheduler, framework, master, null);
  }

  /**
   * One that is started; {@link Scheduler#connected} is called when a master is found.
   *
   * @param framework with the id it had, if it takes over from another scheduler
   * @param master {@code host:port}, {@code zk://host:port,.../path} or {@code file://path}
   * @param credential sent by HTTP basic authentication; none when it is null
   * @throws IllegalArgumentException when there can be no such master; the message names the remedy
   */
  public V0Mesos(
      Scheduler scheduler, FrameworkInfo framework, String master, Credential credential) {
    super(scheduler, master, Optional.ofNullable(credential), Optional.of(subscribing(framework)));
  }

  private static Framework subscribing(FrameworkInfo info) {
    try {
      return new Framework(
          present(info, "framework").toByteArray(),
          Collections.emptyList(),
          Environment.user(),
          Environment.hostname());
    } catch (IOException e) {
      throw new IllegalArgumentException("a framework that cannot be read", e);
    }
  }
}
