package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Programs;
import org.mezzo.containerizer.ContainerizerHost;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.ModuleDescription;
import org.mezzo.modules.ModuleException;
import org.mezzo.modules.ModuleLease;
import org.mezzo.modules.ModuleLease.Terms;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has fetcher modules bring files. A fetch whose module is swapped meanwhile is begun anew with the
 * successor. Calls block; an interrupt takes back what a module does. Safe for any thread.
 */
final class Transfers implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Transfers.class);

  /** A fetch may take so many stall timeouts to notice by itself that nothing comes. */
  private static final int STALLS = 2;

  /** So often a module may go while it fetches the same thing. */
  private static final int ATTEMPTS = 5;

  private static final Duration SHORT_CALL = Duration.ofSeconds(10);

  /** So long what is known of a URI may take to find out. */
  private static final Duration DESCRIPTION = Duration.ofSeconds(30);

  /** So long one that was not used yet may take to open before another one is asked. */
  private static final Duration OPENING = Duration.ofSeconds(1);

  private static final Duration GLANCE = Duration.ofSeconds(1);
  private static final Duration TOLD = Duration.ofSeconds(10);

  private final ContainerizerHost host;
  private final Duration stallTimeout;
  private final Executor events;
  private final Map<String, ModuleLease<Fetcher>> leases = new ConcurrentHashMap<>();

  /** Takes what a fetch tells. */
  @FunctionalInterface
  interface Teller {
    void tell(String line);
  }

  /**
   * @param events where replies of modules arrive
   */
  Transfers(ContainerizerHost host, Duration stallTimeout, Executor events) {
    this.host = host;
    this.stallTimeout = stallTimeout;
    this.events = events;
  }

  /**
   * Brings a file.
   *
   * @param staging each attempt gets a folder there, because an earlier one may still be at work in
   *     its own
   * @param programs starts those that a module needs for it
   * @return the file, in the staging folder
   */
  Path transfer(URI uri, Staging staging, Teller teller, Programs programs)
      throws IOException, InterruptedException {
    for (int attempt = 1; ; attempt++) {
      Path folder = staging.folder("attempt-" + attempt);
      Path target = folder.resolve("fetched");
      try {
        transferOnce(uri, target, teller, programs);
      } catch (IOException e) {
        if (attempt == ATTEMPTS
            || !(e.getCause() instanceof ModuleException module)
            || module.kind() != ModuleException.Kind.STALE
                && module.kind() != ModuleException.Kind.ABSENT) {
          throw e;
        }
        teller.tell("The fetcher was replaced (" + e.getMessage() + "); trying its successor");
        continue;
      }
      if (!Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS)) {
        throw new IOException("the fetcher module made no file");
      }
      return target;
    }
  }

  /** What can be told of a URI without fetching it. */
  Fetcher.Description describe(URI uri) throws IOException, InterruptedException {
    return await(
        server(uri.getScheme().toLowerCase(java.util.Locale.ROOT))
            .ask(
                Terms.of("describe").within(DESCRIPTION),
                fetcher -> {
                  Fetcher.Description description = fetcher.describe(uri);
                  // What is not null here is not later.
                  return new Fetcher.Description(
                      description.size().filter(size -> size >= 0),
                      description.version().filter(version -> version.length() <= 1000));
                }));
  }

  private void transferOnce(URI uri, Path target, Teller teller, Programs programs)
      throws IOException, InterruptedException {
    ModuleLease<Fetcher> lease = server(uri.getScheme().toLowerCase(java.util.Locale.ROOT));
    Fetcher.Request request = Fetcher.Request.of(uri, target, stallTimeout, teller::tell, programs);
    awaitFetch(lease.tell("fetch", fetcher -> fetcher.fetch(request)), target.getParent(), teller);
  }

  /**
   * The fetcher that serves a scheme; if there is none, one that serves what no other does. Those
   * that hold their lease are asked first; one that does not open in time, or does not say what it
   * serves, is passed over.
   */
  private ModuleLease<Fetcher> server(String scheme) throws IOException, InterruptedException {
    Map<String, ModuleLease<Fetcher>> left = new TreeMap<>();
    long begin = System.nanoTime();
    Duration opening = Duration.ZERO;
    for (ModuleDescription module : host.modules().leases().modules()) {
      if (module.kind().equals(Fetcher.KIND)) {
        opening = leases.containsKey(module.name()) ? opening : OPENING;
        left.put(module.name(), leases.computeIfAbsent(module.name(), this::lease));
      }
    }
    ModuleLease<Fetcher> other = null;
    StringBuilder failures = new StringBuilder();
    while (!left.isEmpty()) {
      long passed = System.nanoTime() - begin;
      boolean late = passed >= SHORT_CALL.toNanos();
      // The first by name, or else, once new ones had time to open, the first that is there.
      Optional<String> present =
          left.keySet().stream()
              .limit(passed < opening.toNanos() ? 1 : left.size())
              .filter(name -> left.get(name).epoch() != 0)
              .findFirst();
      if (present.isEmpty()) {
        // What one that serves others is used for must not depend on who is slow to open.
        if (late) {
          break;
        }
        Thread.sleep(5);
        continue;
      }
      ModuleLease<Fetcher> lease = left.get(present.get());
      try {
        Set<String> schemes = schemes(lease);
        if (schemes.contains(scheme)) {
          return lease;
        }
        if (other == null && schemes.contains(Fetcher.ANY_OTHER)) {
          other = lease;
        }
        left.remove(present.get());
      } catch (IOException e) {
        if (late || !ModuleException.isDeparture(e)) {
          LOG.warn("Fetcher '{}' is passed over: {}", present.get(), e.getMessage());
          failures.append("; '").append(present.get()).append("' failed: ").append(e.getMessage());
          left.remove(present.get());
        }
      }
    }
    if (other != null) {
      return other;
    }
    throw new IOException(
        "No fetcher module serves '"
            + scheme
            + "'; install one (modules of kind 'fetcher')"
            + failures);
  }

  /** The set is the module's code, which runs on its thread. */
  private static Set<String> schemes(ModuleLease<Fetcher> lease)
      throws IOException, InterruptedException {
    return await(
        lease.ask(
            Terms.of("schemes").within(SHORT_CALL), fetcher -> Set.copyOf(fetcher.schemes())));
  }

  private ModuleLease<Fetcher> lease(String name) {
    return host.modules().lease(Kinds.FETCHER, name, events);
  }

  /**
   * Waits for a fetch as long as its files grow; one that has stopped, and does not give up by
   * itself, is taken back.
   */
  private void awaitFetch(CompletionStage<Void> stage, Path folder, Teller teller)
      throws IOException, InterruptedException {
    CompletableFuture<Void> reply = stage.toCompletableFuture();
    Duration limit = stallTimeout.multipliedBy(STALLS);
    long size = 0;
    long told = 0;
    long grown = System.nanoTime();
    long toldAt = grown;
    try {
      while (true) {
        long left = limit.toNanos() - (System.nanoTime() - grown);
        try {
          reply.get(Math.max(1, Math.min(GLANCE.toNanos(), left)), TimeUnit.NANOSECONDS);
          return;
        } catch (TimeoutException e) {
          long now = System.nanoTime();
          long found = size(folder);
          if (found != size) {
            size = found;
            grown = now;
          } else if (now - grown >= limit.toNanos()) {
            throw new IOException(
                "no byte came for " + limit.toSeconds() + " s; " + size + " bytes came before", e);
          }
          if (size > told && now - toldAt >= TOLD.toNanos()) {
            teller.tell(size + " bytes so far");
            told = size;
            toldAt = now;
          }
        } catch (ExecutionException e) {
          throw failure(e);
        }
      }
    } finally {
      reply.cancel(true);
    }
  }

  private static long size(Path folder) {
    long size = 0;
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        size += Files.size(file);
      }
    } catch (IOException | DirectoryIteratorException e) {
      // One of them has just got another name.
      return size;
    }
    return size;
  }

  /** Waits for a module; who does not wait any longer takes the call back. */
  private static <R> R await(CompletionStage<R> stage) throws IOException, InterruptedException {
    CompletableFuture<R> reply = stage.toCompletableFuture();
    try {
      return reply.get();
    } catch (ExecutionException e) {
      throw failure(e);
    } finally {
      reply.cancel(true);
    }
  }

  private static IOException failure(ExecutionException e) {
    Throwable cause = e.getCause();
    while (cause.getCause() != null
        && (cause instanceof ModuleException || cause instanceof UncheckedIOException)) {
      cause = cause.getCause();
    }
    return new IOException(
        cause.getMessage() == null ? cause.toString() : cause.getMessage(), cause);
  }

  @Override
  public void close() {
    leases.values().forEach(ModuleLease::close);
  }
}
