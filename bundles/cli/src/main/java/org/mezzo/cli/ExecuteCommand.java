package org.mezzo.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.mezzo.client.ClientOptions;
import org.mezzo.client.CommandRunner;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import org.mezzo.host.HostLog;
import org.mezzo.protocol.v1.Credential;
import org.mezzo.protocol.v1.TaskStatus;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Runs a command on a cluster, as a framework like any other. */
@Command(
    name = "execute",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Run a command on a cluster and bring its output and exit status back.",
    footer = {
      "",
      "The exit status is the task's own: 0 when it finished, what it exited with when it failed,",
      "128 and the signal's number when a signal ended it, 124 when --timeout did. Ctrl-C kills",
      "the task. Without --master and the variable MEZZO_MASTER the command runs on a cluster that",
      "is started for it in this process and leaves nothing behind.",
      "",
      "mezzo execute -- ls -l \"my file\" runs the program ls as it stands, without a shell."
    })
final class ExecuteCommand implements Callable<Integer> {
  private static final Duration START = Duration.ofSeconds(60);
  private static final int LOG_LINES = 60;

  /** More than the runner takes to give up tasks that do not end. */
  private static final Duration END = Duration.ofSeconds(30);

  @Option(names = "--command", paramLabel = "COMMAND", description = "What to run, for sh -c.")
  private String command;

  @Parameters(
      paramLabel = "PROGRAM [ARGUMENT]...",
      arity = "0..*",
      hideParamSyntax = true,
      description = "What to run without a shell, behind --, instead of --command.")
  private List<String> program = new ArrayList<>();

  @Option(
      names = "--master",
      paramLabel = "MASTER",
      description =
          "HOST:PORT, or zk://HOST:PORT,HOST:PORT/PATH to ask ZooKeeper who leads (default: the"
              + " variable MEZZO_MASTER).")
  private String master;

  @Option(
      names = "--name",
      defaultValue = "execute",
      description = "Name of the framework and its tasks (default: ${DEFAULT-VALUE}).")
  private String name;

  @Option(
      names = "--resources",
      defaultValue = "cpus:1;mem:128",
      description = "What each instance needs (default: ${DEFAULT-VALUE}).")
  private String resources;

  @Option(
      names = "--env",
      paramLabel = "NAME=VALUE",
      description =
          "A variable for the task's environment, or several as a JSON object; may be repeated.")
  private List<String> environment = new ArrayList<>();

  @Option(
      names = "--role",
      defaultValue = "*",
      description = "Role whose resources are used (default: ${DEFAULT-VALUE}).")
  private String role;

  @Option(
      names = "--instances",
      paramLabel = "N",
      defaultValue = "1",
      description = "How often to run it at the same time (default: ${DEFAULT-VALUE}).")
  private int instances;

  @Option(
      names = "--timeout",
      paramLabel = "TIME",
      description = "Kill it after this time, for example 30s, 5m or 1h30m.")
  private String timeout;

  @Option(
      names = "--credential",
      paramLabel = "FILE",
      description =
          "File with principal and secret, separated by a blank, for a master that asks for them.")
  private Path credential;

  /** Open while the command runs. */
  private volatile CountDownLatch run = new CountDownLatch(0);

  @Override
  public Integer call() throws Exception {
    CommandRunner.Options options = options();
    Optional<String> given = Masters.given(master, System.getenv());
    if (credential != null && given.isEmpty()) {
      throw new FlagException(
          "flag --credential: a cluster of its own asks for none; add --master or set "
              + Masters.VARIABLE);
    }
    if (given.isPresent()) {
      HostLog.configure(true, false, "WARN", Optional.empty(), Boot.LIBRARIES);
      try (Masters masters = Masters.find(given.get())) {
        ClientOptions client = ClientOptions.of(masters.locator());
        return run(credential == null ? client : client.with(credential(credential)), options);
      }
    }
    say(
        "no --master and no "
            + Masters.VARIABLE
            + ": starting a cluster of its own for this command");
    return onTemporaryCluster(options);
  }

  private CommandRunner.Options options() throws FlagException {
    Optional<Duration> limit = Optional.empty();
    if (timeout != null) {
      try {
        limit = Optional.of(TimeText.parse(timeout));
      } catch (IllegalArgumentException e) {
        throw new FlagException("flag --timeout: " + e.getMessage());
      }
    }
    if (command == null && program.isEmpty()) {
      throw new FlagException(
          "there is nothing to run: give --command=COMMAND for a shell, or -- PROGRAM ARGUMENT...");
    }
    if (command != null && !program.isEmpty()) {
      throw new FlagException(
          "flag --command: a program is given as well ('"
              + program.get(0)
              + "'); give one of them");
    }
    if (instances < 1) {
      throw new FlagException("flag --instances: " + instances + " is less than 1");
    }
    return new CommandRunner.Options(
        command == null ? program.get(0) : command,
        program,
        name,
        role,
        resources,
        environment(environment),
        instances,
        limit,
        Optional.empty());
  }

  /** The principal and secret in a file, which keeps them out of the list of processes. */
  static Credential credential(Path file) throws FlagException {
    String text;
    try {
      text = Files.readString(file);
    } catch (IOException e) {
      throw new FlagException("flag --credential: " + file + " cannot be read: " + e);
    }
    String[] words = text.strip().split("\\s+");
    if (words.length != 2) {
      throw new FlagException(
          "flag --credential: " + file + " does not hold a principal and a secret on one line");
    }
    return Credential.newBuilder().setPrincipal(words[0]).setSecret(words[1]).build();
  }

  /** Variables from assignments and JSON objects; the last one of a name counts. */
  static Map<String, String> environment(List<String> texts) throws FlagException {
    Map<String, String> variables = new LinkedHashMap<>();
    for (String text : texts) {
      if (text.stripLeading().startsWith("{")) {
        try (JsonParser parser = new JsonFactory().createParser(text)) {
          parser.nextToken();
          HttpJson.object(parser).forEach((key, value) -> variables.put(key, "" + value));
          if (parser.nextToken() != null) {
            throw new FlagException("flag --env: there is something behind the JSON object");
          }
        } catch (IOException e) {
          throw new FlagException("flag --env: '" + text + "' is no JSON object");
        }
      } else {
        int equals = text.indexOf('=');
        if (equals < 1) {
          throw new FlagException("flag --env: '" + text + "' is not NAME=VALUE");
        }
        variables.put(text.substring(0, equals), text.substring(equals + 1));
      }
    }
    return variables;
  }

  private int onTemporaryCluster(CommandRunner.Options options) throws Exception {
    TemporaryFolder folder = TemporaryFolder.create("mezzo-execute-");
    Path log = folder.path().resolve("mezzo.log");
    HostLog.configure(false, false, "INFO", Optional.of(log), Boot.LIBRARIES);
    Path work = folder.path().resolve("work");
    Places places = new Places(work, folder.path().resolve("run"));
    LocalCluster cluster = null;
    try {
      cluster = LocalCluster.plan(Home.ofThisProcess(), work, places, 0, 1, List.of());
      LocalCluster running = cluster;
      Thread hook = endWithProcess(() -> end(running, folder));
      try {
        cluster.start(ShellOptions.none(), false);
        cluster.awaitReady(START, ExecuteCommand::say);
        try (Masters masters = Masters.find(cluster.masterAddress())) {
          return run(ClientOptions.of(masters.locator()), options);
        }
      } finally {
        cancel(hook);
      }
    } catch (HostException e) {
      showEnd(log);
      throw e;
    } finally {
      end(cluster, folder);
    }
  }

  /** Runs, with Ctrl-C killing the task. */
  private int run(ClientOptions client, CommandRunner.Options options)
      throws InterruptedException, FlagException {
    CommandRunner runner;
    Terminal terminal = new Terminal();
    try {
      runner = new CommandRunner(client, options, terminal);
    } catch (IllegalArgumentException e) {
      throw new FlagException("flag --resources: " + e.getMessage());
    }
    CountDownLatch ended = new CountDownLatch(1);
    run = ended;
    Thread hook =
        new Thread(
            () -> {
              runner.kill();
              awaitQuietly(ended);
            },
            "mezzo-execute-kill");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      CommandRunner.Result result = runner.run();
      terminal.progress(result.message());
      return result.exitCode();
    } finally {
      ended.countDown();
      cancel(hook);
    }
  }

  /** When the process is told to end: waits until the run is over, if it has begun; cleans up. */
  private Thread endWithProcess(Runnable cleanup) {
    Thread hook =
        new Thread(
            () -> {
              awaitQuietly(run);
              cleanup.run();
            },
            "mezzo-execute-end");
    hook.setContextClassLoader(null);
    Runtime.getRuntime().addShutdownHook(hook);
    return hook;
  }

  private static synchronized void end(LocalCluster cluster, TemporaryFolder folder) {
    if (cluster != null) {
      cluster.close();
    }
    HostLog.configure(false, false, "OFF", Optional.empty(), Boot.LIBRARIES);
    folder.close();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      latch.await(END.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void cancel(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process is ending: the hook runs already and finds its work done.
      return;
    }
  }

  private static void showEnd(Path log) throws IOException {
    if (Files.exists(log)) {
      List<String> lines = Files.readAllLines(log);
      lines
          .subList(Math.max(0, lines.size() - LOG_LINES), lines.size())
          .forEach(System.err::println);
    }
  }

  private static void say(String message) {
    System.err.println("mezzo: " + message);
    System.err.flush();
  }

  /** States on standard error, the task's output where it belongs. */
  private static final class Terminal implements CommandRunner.Listener {
    private final Set<String> said = new HashSet<>(Set.of(""));

    @Override
    public void state(String taskId, TaskStatus status) {
      String reason = status.getMessage().isEmpty() ? "" : ": " + status.getMessage();
      progress(taskId + " is " + status.getState() + reason);
    }

    @Override
    public void output(String taskId, boolean standardError, byte[] bytes) {
      PrintStream stream = standardError ? System.err : System.out;
      stream.write(bytes, 0, bytes.length);
      stream.flush();
    }

    /** The reason of the end is that of a task, which was told before. */
    @Override
    public synchronized void progress(String message) {
      if (said.add(message)) {
        say(message);
      }
    }
  }
}
