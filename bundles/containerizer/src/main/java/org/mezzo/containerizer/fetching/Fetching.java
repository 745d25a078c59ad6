package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.api.fetcher.Programs;
import org.mezzo.containerizer.LaunchException;
import org.mezzo.protocol.v1.CommandInfo;

/**
 * Fetches the URIs of one command, one after the other (rules 320-334). Each becomes complete in a
 * folder closed to others, is given to the task's user there, and moved to its place. Runs on one
 * thread at a time.
 */
final class Fetching implements Fetch.Work {
  /** Exit statuses of the script below that tell what went wrong. */
  private static final int NO_FILE = 43;

  private static final int NOT_READABLE = 44;

  /** Run as the task's user, so that nobody gets a file that he may not read. */
  private static final String READ_FILE =
      "[ -r \"$1\" ] || exit "
          + NOT_READABLE
          + "; [ -f \"$1\" ] || exit "
          + NO_FILE
          + "; exec cat <\"$1\"";

  /** What fetches of one agent share. */
  record Parts(
      Transfers transfers,
      Commands commands,
      Archives archives,
      Copies copies,
      Optional<FetchCache> cache,
      Optional<Path> frameworksHome,
      Path staging,
      Runnable archiveRefused) {}

  private final Parts parts;
  private final List<CommandInfo.URI> uris;
  private final Path sandbox;
  private final Optional<TaskUser> user;
  private final Programs programs;
  private final Commands commands;
  private List<Item> items;
  private int next;
  private FetchCache.Use use;

  /**
   * @param programs starts those that work for this command alone
   */
  Fetching(
      Parts parts,
      List<CommandInfo.URI> uris,
      Path sandbox,
      Optional<TaskUser> user,
      Programs programs) {
    this.parts = parts;
    this.programs = programs;
    commands = parts.commands().by(programs);
    this.uris = uris;
    this.sandbox = sandbox;
    this.user = user;
  }

  @Override
  public Optional<CompletionStage<?>> run() throws LaunchException, InterruptedException {
    if (items == null) {
      items = items();
    }
    try (FetchLog log = FetchLog.open(sandbox, items)) {
      while (next < items.size()) {
        Item item = items.get(next);
        try {
          if (use == null) {
            log.tell("Fetching URI '" + item.shown() + "'");
            use = item.cache() ? use(item) : null;
          }
          if (use != null && !use.isSettled()) {
            return Optional.of(use.settled());
          }
          fetch(item, log);
          close();
        } catch (ClosedByInterruptException e) {
          Thread.interrupted();
          throw new InterruptedException("The fetch was cancelled");
        } catch (IOException e) {
          String message =
              "Failed to fetch '" + item.shown() + "': " + log.masked(reason(e)) + howFar();
          log.tell(message);
          throw new LaunchException(message, e);
        }
        next++;
      }
    }
    return Optional.empty();
  }

  private String howFar() {
    return items.size() == 1 ? "" : " (" + next + " of " + items.size() + " URIs were fetched)";
  }

  /** What may be fetched at all; what may not is told where the task's output goes. */
  private List<Item> items() throws LaunchException {
    List<Item> all = new ArrayList<>();
    try {
      for (CommandInfo.URI uri : uris) {
        all.add(Item.of(uri, sandbox, parts.frameworksHome()));
      }
    } catch (LaunchException e) {
      try (FetchLog log = FetchLog.open(sandbox, List.of())) {
        log.tell("Failed to fetch: " + e.getMessage());
      }
      throw e;
    }
    return all;
  }

  private String reason(IOException e) {
    String text = e.getMessage() == null ? e.toString() : e.getMessage();
    if (!text.contains("No space left on device")) {
      return text;
    }
    return text
        + "; the file system of '"
        + parts.staging()
        + "', or that of --fetcher_cache_dir, is full: make room there";
  }

  private FetchCache.Use use(Item item) {
    String owner = user.map(TaskUser::name).orElseGet(() -> System.getProperty("user.name"));
    if (parts.cache().isEmpty() || !FetchCache.serves(owner)) {
      return null;
    }
    return parts
        .cache()
        .get()
        .use(
            owner,
            item.text(),
            item.source(),
            () ->
                isLocalOfUser(item)
                    ? localDescription(item)
                    : parts.transfers().describe(item.uri()),
            // Others may come to wait for it.
            (staging, teller) -> bring(item, staging, teller, parts.commands(), Programs.UNBOUND));
  }

  private void fetch(Item item, FetchLog log) throws IOException, InterruptedException {
    Optional<Path> cached = Optional.empty();
    if (use != null) {
      use.said().forEach(log::tell);
      cached = use.file();
    }
    try (Staging staging = Staging.forSandbox(sandbox, parts.staging())) {
      Path tree = staging.folder("file");
      Path place = tree.resolve(sandbox.relativize(item.target()).toString());
      Files.createDirectories(place.getParent());
      if (cached.isPresent()) {
        log.tell("Copying it from the cache");
        parts.copies().by(commands).copy(cached.get(), place);
      } else {
        log.tell("Fetching directly into the sandbox directory");
        Files.move(bring(item, staging, log::tell, commands, programs), place);
      }
      Files.setPosixFilePermissions(
          place, PosixFilePermissions.fromString(item.executable() ? "rwxr-xr-x" : "rw-r--r--"));
      for (Path folder = place.getParent(); !folder.equals(tree); folder = folder.getParent()) {
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
      }
      Path members = null;
      if (!item.executable() && item.extract() && Archives.unpacks(item.name())) {
        members = staging.folder("members");
        unpack(item, place, members, log);
      }
      Staging.give(tree, user);
      Placement.place(tree, sandbox);
      log.tell("Fetched '" + item.shown() + "' to '" + item.target() + "'");
      if (members != null) {
        Staging.give(members, user);
        // Into the sandbox itself, wherever in it the archive is (rule 324).
        Placement.place(members, sandbox);
        log.tell("Extracted '" + item.target() + "' into '" + sandbox + "'");
      }
    }
  }

  private void unpack(Item item, Path archive, Path into, FetchLog log)
      throws IOException, InterruptedException {
    try {
      parts.archives().by(commands).unpack(archive, item.name(), into, user, log);
    } catch (ArchiveException e) {
      parts.archiveRefused().run();
      throw new IOException("the archive is not unpacked: it " + e.getMessage(), e);
    }
  }

  /** Has it brought into a staging folder; what only its user may read, by that user. */
  private Path bring(
      Item item, Staging staging, Transfers.Teller teller, Commands local, Programs others)
      throws IOException, InterruptedException {
    if (!isLocalOfUser(item)) {
      return parts.transfers().transfer(item.uri(), staging, teller, others);
    }
    String source = Path.of(item.uri()).toString();
    Path target = staging.folder("copy").resolve("fetched");
    int status =
        local.runInto(user, FetchLog.of(teller), target, "sh", "-c", READ_FILE, "sh", source);
    if (status == NOT_READABLE) {
      throw new IOException(
          "the task's user '"
              + user.orElseThrow().name()
              + "' may not read '"
              + source
              + "', or it does not exist on this agent's machine; make it readable for that user,"
              + " or run the task as one that may read it");
    }
    if (status == NO_FILE) {
      throw new IOException("'" + source + "' is not a file; name a file, for example an archive");
    }
    if (status != 0) {
      throw new IOException(
          "copying the file ended with status " + status + "; see the sandbox's stderr");
    }
    return target;
  }

  private boolean isLocalOfUser(Item item) {
    return user.isPresent() && item.scheme().equals("file");
  }

  /** Tells nobody anything but whether there is room. */
  private static Fetcher.Description localDescription(Item item) throws IOException {
    Path source = Path.of(item.uri());
    return new Fetcher.Description(
        Optional.of(Files.isRegularFile(source) ? Files.size(source) : 0),
        Optional.of(Long.toString(Files.getLastModifiedTime(source).toMillis())));
  }

  @Override
  public void close() {
    if (use != null) {
      use.close();
      use = null;
    }
  }
}
