package org.mezzo.deployment.modules;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.mezzo.api.DaemonContext;
import org.mezzo.deployment.greeting.Greeter;

/** Fails when it rehearses, and says where. */
public final class StageFrightGreeter implements Greeter {
  private DaemonContext context;

  @Override
  public void open(DaemonContext daemon) {
    context = daemon;
    if (!daemon.rehearsal()) {
      throw new IllegalStateException("opened though it never rehearsed well");
    }
  }

  @Override
  public void rehearse() throws Exception {
    Path work = context.workDir();
    try (Stream<Path> files = Files.list(work)) {
      if (files.findAny().isPresent()) {
        throw new IllegalStateException("somebody was here before");
      }
    }
    Files.writeString(work.resolve("trace"), "x");
    throw new IllegalStateException("stage fright in " + work + " of " + context.daemon());
  }

  @Override
  public String greet(String name) {
    return "never";
  }
}
