package org.apache.mesos.v1.scheduler;

import java.util.Optional;
import org.apache.mesos.v1.Protos.Credential;

/** The v1 scheduler API of the leading master, with nothing native. Thread-safe. */
public class V1Mesos extends SessionMesos {
  /** As below, without a credential. */
  public V1Mesos(Scheduler scheduler, String master) {
    super(scheduler, master, Optional.empty(), Optional.empty());
  }

  /**
   * One that is started; {@link Scheduler#connected} is called when a master is found.
   *
   * @param master {@code host:port}, {@code zk://host:port,.../path} or {@code file://path}
   * @param credential sent by HTTP basic authentication; none when it is null
   * @throws IllegalArgumentException when there can be no such master; the message names the remedy
   */
  public V1Mesos(Scheduler scheduler, String master, Credential credential) {
    super(scheduler, master, Optional.ofNullable(credential), Optional.empty());
  }
}
