package org.mezzo.agent.sandboxes;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Optional;

/** Where sandboxes stand below the work directory (rule 172). */
public final class SandboxPaths {
  private static final int CREATE_ATTEMPTS = 5;

  private static final String CONTAINERS = "containers";
  private static final String TASKS = "tasks";

  /** Names between the folder of all agents and a run, with it. */
  private static final int RUN_DEPTH = 7;

  private final Path workDir;

  public SandboxPaths(Path workDir) {
    this.workDir = workDir;
  }

  public Path agents() {
    return workDir.resolve("slaves");
  }

  public Path agent(String agent) {
    return agents().resolve(agent);
  }

  public Path framework(String agent, String framework) {
    return agent(agent).resolve("frameworks").resolve(framework);
  }

  public Path executor(String agent, String framework, String executor) {
    return framework(agent, framework).resolve("executors").resolve(executor);
  }

  /** The sandbox of one run. */
  public Path run(String agent, String framework, String executor, String container) {
    return executor(agent, framework, executor).resolve("runs").resolve(container);
  }

  /** As {@link #create}, with folders for the containers in it; all may pass, none may look. */
  public static void createPassable(Path run) throws IOException {
    create(run);
    for (Path folder : List.of(run, run.resolve(CONTAINERS), run.resolve(TASKS))) {
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
    }
  }

  /**
   * Makes the sandbox of a task in that of its executor, and lets {@code tasks/<id>} there point to
   * it (rule 215).
   */
  public static void createNested(Path sandbox, Path run, String task) throws IOException {
    Files.createDirectories(sandbox);
    Path link = run.resolve(TASKS).resolve(task);
    // The id of a task that is over may come again.
    Files.deleteIfExists(link);
    Files.createSymbolicLink(link, link.getParent().relativize(sandbox));
  }

  /** The sandbox of one run. */
  public Path of(SandboxRun run) {
    return run(run.agent(), run.framework(), run.executor(), run.container());
  }

  /** The run whose sandbox stands there; empty where none can. */
  public Optional<SandboxRun> at(Path path) {
    if (!path.startsWith(agents()) || path.getNameCount() != agents().getNameCount() + RUN_DEPTH) {
      return Optional.empty();
    }
    Path below = agents().relativize(path);
    return below.getName(1).toString().equals("frameworks")
            && below.getName(3).toString().equals("executors")
            && below.getName(5).toString().equals("runs")
        ? Optional.of(
            new SandboxRun(
                below.getName(0).toString(),
                below.getName(2).toString(),
                below.getName(4).toString(),
                below.getName(6).toString()))
        : Optional.empty();
  }

  /** Makes the sandbox and lets {@code latest} beside it point to it. */
  public static void create(Path run) throws IOException {
    for (int attempt = 1; ; attempt++) {
      try {
        createOnce(run);
        return;
      } catch (NoSuchFileException | FileAlreadyExistsException e) {
        // The collector may have removed a folder above, which was empty; another run made one.
        if (attempt == CREATE_ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private static void createOnce(Path run) throws IOException {
    Path runs = run.getParent();
    Path executor = runs.getParent();
    if (Files.isDirectory(executor.getParent()) && !Files.isDirectory(executor)) {
      // The usual case; asking from below costs a failure for each folder that is not there.
      Files.createDirectory(executor);
      Files.createDirectory(runs);
    }
    Files.createDirectories(run);
    Path latest = run.resolveSibling("latest");
    try {
      Files.createSymbolicLink(latest, run);
    } catch (FileAlreadyExistsException e) {
      Path next = run.resolveSibling("latest." + run.getFileName());
      Files.createSymbolicLink(next, run);
      Files.move(next, latest, StandardCopyOption.ATOMIC_MOVE);
    }
  }
}
