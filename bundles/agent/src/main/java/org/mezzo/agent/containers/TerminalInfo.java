package org.mezzo.agent.containers;

import java.util.Optional;
import org.mezzo.containerizer.ContainerIo;
import org.mezzo.containerizer.ContainerIo.Terminal;
import org.mezzo.containerizer.ContainerIo.Window;
import org.mezzo.protocol.v1.ContainerInfo;
import org.mezzo.protocol.v1.TTYInfo;

/** What messages say of terminals, as the containerizer knows it. */
final class TerminalInfo {
  private TerminalInfo() {}

  /** The same with the terminal that a container is to have, if it is to have one. */
  static ContainerIo of(ContainerIo io, ContainerInfo container) {
    return container.hasTtyInfo() ? io.on(new Terminal(window(container.getTtyInfo()))) : io;
  }

  /** The size that is told, which has no {@link #problem}. */
  static Optional<Window> window(TTYInfo info) {
    return info.hasWindowSize()
        ? Optional.of(new Window(info.getWindowSize().getRows(), info.getWindowSize().getColumns()))
        : Optional.empty();
  }

  /** What is wrong with the terminal of a container. */
  static Optional<String> problem(String field, ContainerInfo container) {
    return problem(field + ".tty_info", container.getTtyInfo());
  }

  /** What is wrong with a terminal. */
  static Optional<String> problem(String field, TTYInfo info) {
    try {
      window(info);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of("'" + field + ".window_size' is invalid: " + e.getMessage());
    }
  }
}
