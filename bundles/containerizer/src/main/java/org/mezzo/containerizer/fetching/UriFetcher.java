package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.containerizer.ContainerizerOptions;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.modules.LeaseListener;
import org.mezzo.modules.LeaseRequest;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Brings the URIs of commands into sandboxes (rules 320-327). Transfer is the work of fetcher
 * modules; which URIs are refused, names, extraction and permissions are decided here.
 *
 * <p>When the agent is root and the task is not, nothing of a sandbox is written and no file of the
 * machine is read as root: a task gets no file that its user may not read, and links that an
 * archive or another task of that user plants lead nowhere its user could not go. Local files are
 * copied without a module then, and what a module fetched is handed over from a folder closed to
 * others.
 */
public final class UriFetcher implements AutoCloseable {
  private static final Duration LONGEST_FETCH = Duration.ofDays(1);
  private static final Duration SHORT_CALL = Duration.ofSeconds(10);
  private static final int PARALLEL_FETCHES = 4;
  private static final Set<String> TAR_SUFFIXES =
      Set.of(".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz");

  /** Exit statuses of the scripts below that tell what went wrong. */
  private static final int NO_FILE = 43;

  private static final int NOT_READABLE = 44;

  private static final String COPY_FILE =
      "[ -r \"$1\" ] || exit "
          + NOT_READABLE
          + "; [ -f \"$1\" ] || exit "
          + NO_FILE
          + "; rm -f -- \"$2\"; exec cat <\"$1\" >\"$2\"";
  private static final String UNZIP = "exec gzip -d -c -- \"$1\" >\"$2\"";
  private static final int MOST_SAID = 65_536;
  private static final String TAKE_OVER = "rm -f -- \"$1\"; exec cat >\"$1\"";

  private final ContainerizerOptions options;
  private final Executor events;
  private final Path staging;
  private final Map<String, ModuleLease<Fetcher>> leases = new ConcurrentHashMap<>();

  /** Forgets what an earlier process of this agent did not finish. */
  public UriFetcher(ContainerizerOptions options, Executor events) throws IOException {
    this.options = options;
    this.events = events;
    this.staging = options.context().workDir().resolve("fetching");
    try (DirectoryStream<Path> unfinished = Files.newDirectoryStream(staging)) {
      for (Path file : unfinished) {
        Files.deleteIfExists(file);
      }
    } catch (NoSuchFileException e) {
      return;
    }
  }

  /**
   * The user of a task when it is not the agent's own.
   *
   * @param switching the command line that makes the command behind it run as that user
   */
  public record TaskUser(String name, List<String> switching) {
    public TaskUser {
      switching = List.copyOf(switching);
    }
  }

  /** One URI as it will be fetched. */
  record Item(URI uri, Path target, boolean executable, boolean extract, String text) {}

  /**
   * Fetches everything a command asks for; blocks.
   *
   * @param user whose rights count and whom the files belong to; empty for the agent's own
   * @throws LaunchException when something is refused or cannot be fetched; the sandbox's stderr
   *     says more
   */
  public void fetch(List<CommandInfo.URI> uris, Path sandbox, Optional<TaskUser> user)
      throws LaunchException, InterruptedException {
    List<Item> items = new ArrayList<>();
    for (CommandInfo.URI uri : uris) {
      items.add(item(uri, sandbox, options.frameworksHome()));
    }
    for (Item item : items) {
      log(sandbox, "Fetching URI '" + item.text() + "' into '" + item.target() + "'");
      try {
        Path parent = item.target().getParent();
        if (!parent.equals(sandbox)) {
          run(user, sandbox, null, "mkdir", "-p", "--", parent.toString());
        }
        if (!item.target().getParent().toRealPath().startsWith(sandbox.toRealPath())) {
          throw new IOException("'" + item.target() + "' leads out of the sandbox through a link");
        }
        if (user.isPresent()) {
          transferAs(user.get(), item, sandbox);
        } else {
          transfer(item, item.target(), sandbox);
        }
        if (item.executable()) {
          run(user, sandbox, null, "chmod", "755", "--", item.target().toString());
        } else if (item.extract()) {
          extract(user, item.target(), sandbox);
        }
      } catch (IOException e) {
        String message = "Failed to fetch '" + item.text() + "': " + e.getMessage();
        log(sandbox, message);
        throw new LaunchException(message, e);
      }
    }
  }

  /** Checks and names one URI (rules 321-323). */
  static Item item(CommandInfo.URI uri, Path sandbox, Optional<Path> frameworksHome)
      throws LaunchException {
    String text = uri.getValue().stripLeading();
    if (text.isEmpty()) {
      throw new LaunchException("A URI of the command is empty; set its 'value'");
    }
    if (text.indexOf('\\') >= 0 || text.indexOf('\'') >= 0 || text.indexOf('\0') >= 0) {
      throw new LaunchException("URI '" + text + "' contains \\, ' or NUL, which is not allowed");
    }
    int scheme = text.indexOf("://");
    String name;
    if (uri.hasOutputFile()) {
      name = uri.getOutputFile();
      if (name.isEmpty() || name.startsWith("/")) {
        throw new LaunchException(
            "The 'output_file' of URI '" + text + "' must be a relative path, not '" + name + "'");
      }
    } else {
      String path = scheme < 0 ? text : text.substring(scheme + 3);
      int slash = path.lastIndexOf('/');
      if (scheme >= 0 && (path.indexOf('/') < 0 || path.indexOf('/') == path.length() - 1)) {
        throw new LaunchException("Malformed URI '" + text + "': it has no path");
      }
      name = path.substring(slash + 1);
      if (name.isEmpty()) {
        throw new LaunchException("URI '" + text + "' does not name a file");
      }
    }
    Path target = sandbox.resolve(name).normalize();
    if (!target.startsWith(sandbox) || target.equals(sandbox) || name.indexOf('\0') >= 0) {
      throw new LaunchException("'" + name + "' of URI '" + text + "' leads out of the sandbox");
    }
    return new Item(
        parse(text, scheme, frameworksHome), target, uri.getExecutable(), uri.getExtract(), text);
  }

  private static URI parse(String text, int scheme, Optional<Path> frameworksHome)
      throws LaunchException {
    if (scheme < 0) {
      if (text.startsWith("/")) {
        return Path.of(text).toUri();
      }
      return frameworksHome
          .orElseThrow(
              () ->
                  new LaunchException(
                      "A relative path was passed as URI '"
                          + text
                          + "' but the agent has no"
                          + " --frameworks_home"))
          .resolve(text)
          .toUri();
    }
    if (text.regionMatches(true, 0, "file://", 0, 7)) {
      String path = text.substring(7);
      if (path.startsWith("localhost/")) {
        path = path.substring("localhost".length());
      }
      if (!path.startsWith("/")) {
        throw new LaunchException("File URI '" + text + "' must have an absolute path");
      }
      return Path.of(path).toUri();
    }
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      throw new LaunchException("Malformed URI '" + text + "': " + e.getReason(), e);
    }
  }

  private static String scheme(Item item) {
    return item.uri().getScheme().toLowerCase(Locale.ROOT);
  }

  private void transferAs(TaskUser user, Item item, Path sandbox)
      throws IOException, InterruptedException {
    Optional<TaskUser> as = Optional.of(user);
    String target = item.target().toString();
    if (scheme(item).equals("file")) {
      String source = Path.of(item.uri()).toString();
      int status = status(as, sandbox, null, "sh", "-c", COPY_FILE, "sh", source, target);
      if (status == NOT_READABLE) {
        throw new IOException(
            "the task's user '"
                + user.name()
                + "' may not read '"
                + source
                + "', or it does not"
                + " exist on this agent's machine; make it readable for that user, or run the task"
                + " as one that may read it");
      }
      if (status == NO_FILE) {
        throw new IOException(
            "'" + source + "' is not a file; name a file, for example an archive");
      }
      check("copying the file", status);
      return;
    }
    Files.createDirectories(
        staging,
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    Path staged = staging.resolve(UUID.randomUUID().toString());
    try {
      transfer(item, staged, sandbox);
      check("copying the file", status(as, sandbox, staged, "sh", "-c", TAKE_OVER, "sh", target));
    } finally {
      Files.deleteIfExists(staged);
    }
  }

  /** Fetches; once more if the module was swapped meanwhile, with its successor. */
  private void transfer(Item item, Path target, Path sandbox)
      throws IOException, InterruptedException {
    try {
      transferOnce(item, target, sandbox);
    } catch (IOException e) {
      if (!(e.getCause() instanceof ModuleException module)
          || module.kind() != ModuleException.Kind.STALE
              && module.kind() != ModuleException.Kind.ABSENT) {
        throw e;
      }
      log(sandbox, "The fetcher was replaced (" + e.getMessage() + "); trying its successor");
      Files.deleteIfExists(target);
      transferOnce(item, target, sandbox);
    }
  }

  private void transferOnce(Item item, Path target, Path sandbox)
      throws IOException, InterruptedException {
    String scheme = scheme(item);
    Set<String> names = new TreeSet<>();
    for (ModuleDescription module : options.leases().modules()) {
      if (module.kind().equals(Fetcher.KIND)) {
        names.add(module.name());
      }
    }
    for (String name : names) {
      ModuleLease<Fetcher> lease = leases.computeIfAbsent(name, this::lease);
      long epoch = awaitEpoch(lease);
      if (epoch == 0
          || !await(lease.call(epoch, "schemes", SHORT_CALL, Fetcher::schemes)).contains(scheme)) {
        continue;
      }
      Fetcher.Request request =
          new Fetcher.Request(
              item.uri(), target, options.fetcherStallTimeout(), line -> log(sandbox, line));
      await(
          lease.call(
              epoch,
              "fetch",
              LONGEST_FETCH,
              fetcher -> {
                fetcher.fetch(request);
                return true;
              }));
      return;
    }
    throw new IOException(
        "No fetcher module serves '" + scheme + "'; install one (modules of kind 'fetcher')");
  }

  private ModuleLease<Fetcher> lease(String name) {
    return options
        .leases()
        .lease(
            new LeaseRequest<>(
                Fetcher.class,
                Fetcher.KIND,
                name,
                options.modules().apply(Fetcher.KIND, name),
                PARALLEL_FETCHES,
                events,
                LeaseListener.NONE));
  }

  private static long awaitEpoch(ModuleLease<Fetcher> lease) throws InterruptedException {
    long end = System.nanoTime() + SHORT_CALL.toNanos();
    while (lease.epoch() == 0 && System.nanoTime() < end) {
      Thread.sleep(5);
    }
    return lease.epoch();
  }

  private static <R> R await(java.util.concurrent.CompletionStage<R> stage)
      throws IOException, InterruptedException {
    try {
      return stage.toCompletableFuture().get(LONGEST_FETCH.toHours(), TimeUnit.HOURS);
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      while (cause.getCause() != null && !(cause instanceof IOException)) {
        cause = cause.getCause();
      }
      throw new IOException(
          cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
    } catch (TimeoutException e) {
      throw new IOException("it took more than " + LONGEST_FETCH.toHours() + " hours", e);
    }
  }

  private static void extract(Optional<TaskUser> user, Path file, Path sandbox)
      throws IOException, InterruptedException {
    String name = file.getFileName().toString();
    String folder = file.getParent().toString();
    if (TAR_SUFFIXES.stream().anyMatch(name::endsWith)) {
      run(user, sandbox, null, "tar", "-C", folder, "-xf", file.toString());
    } else if (name.endsWith(".zip")) {
      run(user, sandbox, null, "unzip", "-o", "-q", "-d", folder, file.toString());
    } else if (name.endsWith(".gz") && name.length() > 3) {
      String output = file.resolveSibling(name.substring(0, name.length() - 3)).toString();
      run(user, sandbox, null, "sh", "-c", UNZIP, "sh", file.toString(), output);
    }
  }

  private static void run(Optional<TaskUser> user, Path sandbox, Path input, String... command)
      throws IOException, InterruptedException {
    check(command[0], status(user, sandbox, input, command));
  }

  private static void check(String what, int status) throws IOException {
    if (status != 0) {
      throw new IOException(what + " ended with status " + status + "; see the sandbox's stderr");
    }
  }

  /** Runs a command as the user and copies what it says into the sandbox's stderr. */
  private static int status(Optional<TaskUser> user, Path sandbox, Path input, String... command)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    user.ifPresent(as -> line.addAll(as.switching()));
    line.addAll(List.of(command));
    ProcessBuilder builder = new ProcessBuilder(line);
    builder.directory(Path.of("/").toFile());
    // What the agent has in its environment is not for tasks.
    builder.environment().keySet().retainAll(Set.of("PATH", "LANG", "LC_ALL"));
    builder.redirectErrorStream(true);
    builder.redirectInput(input == null ? Path.of("/dev/null").toFile() : input.toFile());
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException(command[0] + " is needed and is not installed", e);
    }
    CompletableFuture<byte[]> said =
        CompletableFuture.supplyAsync(
            () -> {
              try (InputStream in = process.getInputStream()) {
                byte[] first = in.readNBytes(MOST_SAID);
                in.transferTo(OutputStream.nullOutputStream());
                return first;
              } catch (IOException e) {
                return new byte[0];
              }
            });
    try {
      int status = process.waitFor();
      String text = new String(said.join(), StandardCharsets.UTF_8).strip();
      if (!text.isEmpty()) {
        log(sandbox, text);
      }
      return status;
    } finally {
      process.destroyForcibly();
    }
  }

  private static void log(Path sandbox, String line) {
    try {
      Files.write(
          sandbox.resolve("stderr"),
          (line + "\n").getBytes(StandardCharsets.UTF_8),
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND,
          LinkOption.NOFOLLOW_LINKS);
    } catch (IOException e) {
      org.slf4j.LoggerFactory.getLogger(UriFetcher.class)
          .warn("Cannot write to the stderr of sandbox {}: {}", sandbox, e.toString());
    }
  }

  @Override
  public void close() {
    leases.values().forEach(ModuleLease::close);
  }
}
