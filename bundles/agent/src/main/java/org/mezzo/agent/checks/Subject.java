package org.mezzo.agent.checks;

import java.time.Duration;
import java.util.function.Consumer;
import org.mezzo.protocol.v1.CommandInfo;

/** A task that is looked at, as whoever runs it shows it. For the event loop only. */
public interface Subject {

  /** Its id, for logs. */
  String name();

  /** The first process of its container, in whose network probes are made. */
  long pid();

  /**
   * Whether it has not ended, as far as is known. Of one that has, what is tried tells nothing;
   * when its end makes something fail, this is false before that is told, where that can be known.
   */
  boolean runs();

  /**
   * Runs a command in the task's container, as its user, in its sandbox, with its environment and
   * in its cgroup. It is killed when its time is over, when it is called off, and with the task.
   *
   * @param timeout and what is told are as in {@link Prober#probe}
   */
  Probing run(CommandInfo command, Duration timeout, Consumer<Outcome> done);
}
