package org.mezzo.api.logger;

import java.util.Map;
import org.mezzo.api.Module;
import org.mezzo.api.isolator.Container;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Says where the output of containers goes, which their shims carry out: nothing of what a
 * container writes comes by the agent or a module, so that neither an agent that is killed nor a
 * module that is swapped loses any of it.
 *
 * <p>Threading: see {@link org.mezzo.api.Module}; several calls are taken at a time. Deadline of
 * each call: 5 seconds. Where the logger throws, is late or is absent, the launch fails with its
 * name: output that was to be bounded must not fill the disk in silence. Null is a fault. A logger
 * that (re)appears is told nothing: containers that there are go on as was said of them.
 */
@ConsumerType
public interface ContainerLogger extends Module {

  /** The value of {@code mezzo.module.kind} of container loggers. */
  String KIND = "container-logger";

  /**
   * What becomes of the output of a container, before its first process is made. Not asked of
   * containers whose output is for whoever is attached alone, nor of those that share the sandbox
   * of another one.
   *
   * @param container without its process
   * @param environment its variables
   */
  LogPlan prepare(Container container, Map<String, String> environment) throws Exception;
}
