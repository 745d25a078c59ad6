package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
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
import org.mezzo.modules.ModuleLease;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Brings the URIs of commands into sandboxes (rules 320-327). Transfer is the work of fetcher
 * modules; which URIs are refused, names, extraction and permissions are decided here.
 */
public final class UriFetcher implements AutoCloseable {
  private static final Duration LONGEST_FETCH = Duration.ofDays(1);
  private static final Duration SHORT_CALL = Duration.ofSeconds(10);
  private static final int PARALLEL_FETCHES = 4;
  private static final Set<String> TAR_SUFFIXES =
      Set.of(".tar", ".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz");

  private final ContainerizerOptions options;
  private final Executor events;
  private final Map<String, ModuleLease<Fetcher>> leases = new ConcurrentHashMap<>();

  public UriFetcher(ContainerizerOptions options, Executor events) {
    this.options = options;
    this.events = events;
  }

  /** One URI as it will be fetched. */
  record Item(URI uri, Path target, boolean executable, boolean extract, String text) {}

  /**
   * Fetches everything a command asks for; blocks.
   *
   * @throws LaunchException when something is refused or cannot be fetched; the sandbox's stderr
   *     says more
   */
  public void fetch(List<CommandInfo.URI> uris, Path sandbox)
      throws LaunchException, InterruptedException {
    List<Item> items = new ArrayList<>();
    for (CommandInfo.URI uri : uris) {
      items.add(item(uri, sandbox, options.frameworksHome()));
    }
    for (Item item : items) {
      log(sandbox, "Fetching URI '" + item.text() + "' into '" + item.target() + "'");
      try {
        Files.createDirectories(item.target().getParent());
        if (!item.target().getParent().toRealPath().startsWith(sandbox.toRealPath())) {
          throw new IOException("'" + item.target() + "' leads out of the sandbox through a link");
        }
        transfer(item, sandbox);
        if (item.executable()) {
          Files.setPosixFilePermissions(
              item.target(), PosixFilePermissions.fromString("rwxr-xr-x"));
        } else if (item.extract()) {
          extract(item.target(), sandbox);
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
                      "A relative path was passed as URI '" + text + "' but the agent has no"
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

  private void transfer(Item item, Path sandbox) throws IOException, InterruptedException {
    String scheme = item.uri().getScheme().toLowerCase(Locale.ROOT);
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
          || !await(
              lease.call(epoch, "schemes", SHORT_CALL, Fetcher::schemes)).contains(scheme)) {
        continue;
      }
      Fetcher.Request request =
          new Fetcher.Request(
              item.uri(),
              item.target(),
              options.fetcherStallTimeout(),
              line -> log(sandbox, line));
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

  private static void extract(Path file, Path sandbox) throws IOException, InterruptedException {
    String name = file.getFileName().toString();
    Path folder = file.getParent();
    if (TAR_SUFFIXES.stream().anyMatch(name::endsWith)) {
      run(sandbox, null, "tar", "-C", folder.toString(), "-xf", file.toString());
    } else if (name.endsWith(".zip")) {
      run(sandbox, null, "unzip", "-o", "-q", "-d", folder.toString(), file.toString());
    } else if (name.endsWith(".gz") && name.length() > 3) {
      run(
          sandbox,
          folder.resolve(name.substring(0, name.length() - 3)),
          "gzip",
          "-d",
          "-c",
          file.toString());
    }
  }

  private static void run(Path sandbox, Path output, String... command)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.redirectError(
        ProcessBuilder.Redirect.appendTo(sandbox.resolve("stderr").toFile()));
    builder.redirectOutput(
        output == null
            ? ProcessBuilder.Redirect.DISCARD
            : ProcessBuilder.Redirect.to(output.toFile()));
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      throw new IOException(command[0] + " is needed to extract it and is not installed", e);
    }
    process.getOutputStream().close();
    try {
      int status = process.waitFor();
      if (status != 0) {
        throw new IOException(
            "extraction with " + command[0] + " ended with status " + status);
      }
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
          StandardOpenOption.APPEND);
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
