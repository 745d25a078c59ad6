package org.mezzo.containerizer.fetching;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.Metrics;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.files.OwnFolder;
import org.mezzo.files.ProcessLock;
import org.mezzo.files.TreeDeletion;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files of URIs that were fetched for good (rules 328-334). An entry belongs to a user and a URI.
 * It is downloaded once for all who ask meanwhile, by a download of its own that ends when nobody
 * wants it any more. Entries that nobody refers to go when there is no room for another one, those
 * first that were used last the longest ago.
 *
 * <p>Entries outlive the agent's process, unless it is told to empty the cache. An entry from
 * before is looked at before it is used: size and digest must be what they were, and its fetcher
 * must not tell of another size or version by now.
 *
 * <p>Nothing gets write access to the file of an entry: what a sandbox gets is a copy, on file
 * systems that share blocks one that takes no room until it is written to. A hard link would be the
 * same file with the same owner, and so let one task change what others get, or leave tasks with
 * files that are not theirs.
 *
 * <p>In its folder are {@code <user>/c<number>-<name>}, closed to others; {@code .index/<number>},
 * what is kept of each; {@code .part}, downloads; {@code .lock}. Safe for any thread; what is not
 * said to block is short.
 */
final class FetchCache implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(FetchCache.class);

  /** So many entries at most, whatever their size. */
  static final int MOST_ENTRIES = 20_000;

  private static final int MOST_LINES = 50;
  private static final int LONGEST_NAME = 20;
  private static final String LOCK = ".lock";

  /** How an entry gets its file. */
  @FunctionalInterface
  interface Source {
    /**
     * Blocks until the file is there.
     *
     * @return a file in the staging folder
     */
    Path fetch(Staging staging, Transfers.Teller teller) throws IOException, InterruptedException;
  }

  /** What was asked for. */
  private enum State {
    /** Somebody is at it. */
    ASKED,
    /** Its file is there. */
    READY,
    /** It was kept by an earlier process, and nobody has looked at it. */
    KEPT,
    /** It is fetched by each who wants it. */
    PAST,
    FAILED
  }

  /** What is asked of a URI before it is fetched. */
  @FunctionalInterface
  interface Describer {
    /** Blocks. */
    Fetcher.Description describe() throws IOException, InterruptedException;
  }

  private final Path folder;
  private final Path index;
  private final Path parts;
  private final long capacity;
  private final Executor lane;
  private final ProcessLock lock;

  /** From the one that was used the longest ago to the youngest. */
  private final Map<String, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);

  private long used;
  private long number;
  private boolean closing;
  private final Metrics.Counter hits;
  private final Metrics.Counter misses;
  private final Metrics.Counter bypasses;
  private final Metrics.Counter evictions;

  private FetchCache(Path folder, long capacity, Executor lane, Metrics metrics, ProcessLock lock) {
    this.folder = folder;
    this.index = folder.resolve(".index");
    this.parts = folder.resolve(".part");
    this.capacity = capacity;
    this.lane = lane;
    this.lock = lock;
    metrics.gauge("containerizer/fetcher/cache_size_total_bytes", () -> capacity);
    metrics.gauge("containerizer/fetcher/cache_size_used_bytes", this::usedBytes);
    metrics.gauge("containerizer/fetcher/cache_entries", this::size);
    hits = metrics.counter("containerizer/fetcher/cache_hits");
    misses = metrics.counter("containerizer/fetcher/cache_misses");
    bypasses = metrics.counter("containerizer/fetcher/cache_bypasses");
    evictions = metrics.counter("containerizer/fetcher/cache_evictions");
  }

  /**
   * Takes up what an earlier process left. Blocks.
   *
   * @param folder nobody else's; made if it is not there
   * @param persists whether what is there is kept
   * @param lane where downloads run
   * @throws IOException when the folder cannot be used, or holds something else
   */
  static FetchCache open(
      Path folder, long capacity, boolean persists, Executor lane, Metrics metrics)
      throws IOException {
    OwnFolder.closed(folder, "Give another one by --fetcher_cache_dir");
    Path real = folder.toRealPath();
    boolean ours = Files.exists(real.resolve(LOCK), LinkOption.NOFOLLOW_LINKS);
    if (!ours) {
      try (DirectoryStream<Path> there = Files.newDirectoryStream(real)) {
        if (there.iterator().hasNext()) {
          // What is no entry is deleted.
          throw new IOException(
              "--fetcher_cache_dir="
                  + folder
                  + " is a folder with something else than a cache; give an empty or a new one");
        }
      }
    }
    ProcessLock lock =
        ProcessLock.tryAcquire(real.resolve(LOCK))
            .orElseThrow(
                () ->
                    new IOException(
                        "--fetcher_cache_dir="
                            + folder
                            + " is used by process "
                            + ProcessLock.holder(real.resolve(LOCK))
                            + "; give each agent its own"));
    try {
      FetchCache cache = new FetchCache(real, capacity, lane, metrics, lock);
      cache.takeUp(persists);
      return cache;
    } catch (IOException | RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  private void takeUp(boolean persists) throws IOException {
    Staging.clear(parts);
    if (!persists) {
      TreeDeletion.delete(index);
    }
    OwnFolder.closed(index, "Empty --fetcher_cache_dir");
    record Kept(Path record, CacheRecord content, FileTime used) {}
    List<Kept> kept = new ArrayList<>();
    try (DirectoryStream<Path> records = Files.newDirectoryStream(index)) {
      for (Path record : records) {
        try {
          number = Math.max(number, Long.parseLong(record.getFileName().toString()));
          CacheRecord content = CacheRecord.read(record);
          Path file = folder.resolve(content.user()).resolve(content.file());
          if (fits(file, content.size())) {
            kept.add(new Kept(record, content, Files.getLastModifiedTime(record)));
            continue;
          }
          LOG.warn("Entry {} of the fetcher's cache is not used: its file has changed", record);
        } catch (IOException | NumberFormatException e) {
          LOG.warn("{} is not used: {}", record, e.toString());
        }
        TreeDeletion.delete(record);
      }
    }
    kept.sort(Comparator.comparing(Kept::used).reversed());
    Set<Path> files = new HashSet<>();
    List<Entry> oldestLast = new ArrayList<>();
    Set<String> keys = new HashSet<>();
    for (Kept one : kept) {
      CacheRecord content = one.content();
      if (used + content.size() > capacity
          || files.size() == MOST_ENTRIES
          || !keys.add(content.key())) {
        TreeDeletion.delete(one.record());
        continue;
      }
      Entry entry = new Entry(content.key(), content.user());
      entry.number = Long.parseLong(one.record().getFileName().toString());
      entry.file = folder.resolve(content.user()).resolve(content.file());
      entry.size = content.size();
      entry.state = State.KEPT;
      used += entry.size;
      files.add(entry.file);
      oldestLast.add(entry);
    }
    for (int i = oldestLast.size() - 1; i >= 0; i--) {
      entries.put(oldestLast.get(i).key, oldestLast.get(i));
    }
    deleteAllBut(files);
    if (!entries.isEmpty()) {
      LOG.info("{} entries of the fetcher's cache are kept, {} bytes", entries.size(), used);
    }
  }

  private void deleteAllBut(Set<Path> files) throws IOException {
    try (DirectoryStream<Path> users = Files.newDirectoryStream(folder)) {
      for (Path user : users) {
        if (user.getFileName().toString().startsWith(".")
            || !Files.isDirectory(user, LinkOption.NOFOLLOW_LINKS)) {
          continue;
        }
        try (DirectoryStream<Path> members = Files.newDirectoryStream(user)) {
          for (Path member : members) {
            if (!files.contains(member)) {
              TreeDeletion.delete(member);
            }
          }
        }
      }
    }
  }

  private static boolean fits(Path file, long size) throws IOException {
    return Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && Files.size(file) == size;
  }

  /** Whether entries of this user can have a folder. */
  static boolean serves(String user) {
    return !user.isEmpty() && !user.startsWith(".") && user.indexOf('/') < 0;
  }

  synchronized long usedBytes() {
    return used;
  }

  synchronized int size() {
    return entries.size();
  }

  /**
   * Refers to what a user gets by a URI; if it is not there, it begins to be fetched.
   *
   * @param name of the file, which the entry's is made of (rule 329)
   * @return to be closed by who asked, when it was copied or is not wanted any more
   */
  Use use(String user, String uri, String name, Describer describer, Source source) {
    String key = CacheRecord.key(user, uri);
    Entry begun = null;
    Entry vanished = null;
    Use use;
    synchronized (this) {
      Entry entry = entries.get(key);
      if (entry != null && entry.state == State.READY && !stillThere(entry)) {
        LOG.warn("{} has vanished from the fetcher's cache, and is fetched again", entry.file);
        remove(entry);
        vanished = entry.references == 0 ? entry : null;
        entry = null;
      }
      if (entry == null) {
        entry = new Entry(key, user);
        entries.put(key, entry);
        begun = entry;
      } else if (entry.state == State.KEPT) {
        entry.state = State.ASKED;
        begun = entry;
      } else {
        hits.increment();
      }
      entry.references++;
      use = new Use(entry);
    }
    if (vanished != null) {
      delete(vanished);
    }
    if (begun != null) {
      begin(begun, new Download(begun, name, describer, source));
    }
    return use;
  }

  private static boolean stillThere(Entry entry) {
    try {
      return fits(entry.file, entry.size);
    } catch (IOException e) {
      return false;
    }
  }

  private void begin(Entry entry, Download download) {
    synchronized (this) {
      entry.download = download;
    }
    try {
      lane.execute(download);
    } catch (RejectedExecutionException e) {
      settle(entry, State.FAILED, new IOException("Too many fetches are waiting on this agent", e));
    }
  }

  /**
   * Tells all who wait. An entry without a file is none.
   *
   * @return whether it has a file that nobody refers to and nobody finds any more
   */
  private boolean settle(Entry entry, State state, IOException failure) {
    boolean orphan;
    synchronized (this) {
      entry.state = state;
      entry.failure = failure;
      entry.download = null;
      if (state != State.READY) {
        remove(entry);
      }
      orphan = entry.file != null && !closing && entry.references == 0 && !entry.listed;
    }
    entry.settled.complete(null);
    return orphan;
  }

  /** Takes an entry out of the table; its file is deleted by whoever calls, or by the last user. */
  private void remove(Entry entry) {
    if (entries.get(entry.key) == entry) {
      entries.remove(entry.key);
      used -= entry.size;
    }
    entry.listed = false;
  }

  /**
   * Makes room, or says that there is none.
   *
   * @param entry gets as much, instead of what it had
   */
  private boolean reserve(Entry entry, long size) {
    List<Entry> gone = new ArrayList<>();
    boolean room;
    synchronized (this) {
      while (used - entry.size + size > capacity || entries.size() > MOST_ENTRIES) {
        Optional<Entry> evicted = evict();
        if (evicted.isEmpty()) {
          break;
        }
        gone.add(evicted.get());
      }
      room = entry.listed && used - entry.size + size <= capacity && entries.size() <= MOST_ENTRIES;
      if (room) {
        used += size - entry.size;
        entry.size = size;
      }
    }
    gone.forEach(this::delete);
    return room;
  }

  /** Takes out the one that was used the longest ago, of those that nobody refers to. */
  private synchronized Optional<Entry> evict() {
    for (Iterator<Entry> eldest = entries.values().iterator(); eldest.hasNext(); ) {
      Entry candidate = eldest.next();
      if (candidate.references == 0
          && (candidate.state == State.READY || candidate.state == State.KEPT)) {
        eldest.remove();
        candidate.listed = false;
        used -= candidate.size;
        evictions.increment();
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /** Where the disk is smaller than the cache may be, entries give way to what comes. */
  private void makeRoomOnDisk(long size) throws IOException {
    while (true) {
      long free = Files.getFileStore(parts).getUsableSpace();
      if (free >= size) {
        return;
      }
      Optional<Entry> evicted = evict();
      if (evicted.isEmpty()) {
        throw new IOException(
            "it has "
                + size
                + " bytes, and on the file system of '"
                + folder
                + "' are "
                + free
                + " free; make room there, or give another --fetcher_cache_dir");
      }
      delete(evicted.get());
    }
  }

  /** Deletes an entry's file, the record first. */
  private void delete(Entry entry) {
    try {
      Files.deleteIfExists(index.resolve(Long.toString(entry.number)));
      if (entry.file != null) {
        Files.deleteIfExists(entry.file);
      }
    } catch (IOException e) {
      LOG.warn("Cannot delete {}: {}", entry.file, e.toString());
    }
  }

  /** From now on what is interrupted stays for the next process. */
  synchronized void closing() {
    closing = true;
  }

  /** Leaves the folder to the next process. No download may run any more. */
  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      LOG.debug("Cannot close the lock of {}", folder, e);
    }
  }

  /** What a user gets by a URI. Its fields are the cache's. */
  private final class Entry {
    final String key;
    final String user;
    final CompletableFuture<Void> settled = new CompletableFuture<>();
    final List<String> said = new ArrayList<>();
    State state = State.ASKED;
    boolean listed = true;
    long number;
    Path file;
    long size;
    int references;
    Download download;
    IOException failure;

    Entry(String key, String user) {
      this.key = key;
      this.user = user;
    }
  }

  /** A reference to an entry, which is not evicted meanwhile. */
  final class Use implements AutoCloseable {
    private final Entry entry;
    private boolean closed;

    private Use(Entry entry) {
      this.entry = entry;
    }

    /** Completes when it is known what comes of it; never exceptionally. */
    CompletionStage<Void> settled() {
      return entry.settled;
    }

    boolean isSettled() {
      synchronized (FetchCache.this) {
        return entry.state != State.ASKED;
      }
    }

    /**
     * The file of a settled entry; empty when each has to fetch it himself.
     *
     * @throws IOException when it could not be fetched
     */
    Optional<Path> file() throws IOException {
      Entry current = entry;
      synchronized (FetchCache.this) {
        if (current.failure != null) {
          throw new IOException(current.failure.getMessage(), current.failure);
        }
        if (current.state != State.READY) {
          return Optional.empty();
        }
      }
      touch(current);
      return Optional.of(current.file);
    }

    /** What there was to tell while it was fetched. */
    List<String> said() {
      synchronized (FetchCache.this) {
        return List.copyOf(entry.said);
      }
    }

    @Override
    public void close() {
      boolean orphan = false;
      synchronized (FetchCache.this) {
        if (closed) {
          return;
        }
        closed = true;
        entry.references--;
        if (entry.references == 0) {
          if (entry.download != null) {
            entry.download.cancel();
          }
          orphan = !entry.listed && entry.state == State.READY;
        }
      }
      if (orphan) {
        delete(entry);
      }
    }
  }

  /** Which one is younger is known to the next process by this. */
  private void touch(Entry entry) {
    try {
      Files.setLastModifiedTime(
          index.resolve(Long.toString(entry.number)), FileTime.from(Instant.now()));
    } catch (NoSuchFileException e) {
      // It has left the cache, and somebody still refers to it.
      return;
    } catch (IOException e) {
      LOG.debug("Cannot touch the record of {}", entry.file, e);
    }
  }

  /** Brings the file of one entry, or finds that the one from before is good. */
  private final class Download implements Runnable {
    private final Entry entry;
    private final String name;
    private final Describer describer;
    private final Source source;
    private Thread thread;
    private boolean cancelled;

    Download(Entry entry, String name, Describer describer, Source source) {
      this.entry = entry;
      this.name = name;
      this.describer = describer;
      this.source = source;
    }

    /** Nobody wants it; called with the cache's lock. Who asks from now on begins another one. */
    void cancel() {
      cancelled = true;
      remove(entry);
      if (thread != null) {
        thread.interrupt();
      }
    }

    @Override
    public void run() {
      synchronized (FetchCache.this) {
        if (!cancelled) {
          thread = Thread.currentThread();
        }
      }
      if (thread == null) {
        if (settle(entry, State.FAILED, new IOException("The fetch was cancelled"))) {
          delete(entry);
        }
        return;
      }
      State state = State.FAILED;
      IOException failure = null;
      try {
        state = work();
      } catch (IOException e) {
        failure = e;
      } catch (InterruptedException e) {
        failure = new IOException("The fetch was cancelled", e);
      } catch (RuntimeException e) {
        LOG.error("Fetching into the cache failed", e);
        failure = new IOException("Fetching into the cache failed: " + e, e);
      }
      synchronized (FetchCache.this) {
        thread = null;
        Thread.interrupted();
      }
      if (settle(entry, state, failure)) {
        delete(entry);
      }
    }

    private State work() throws IOException, InterruptedException {
      Fetcher.Description description = null;
      if (entry.file != null) {
        Optional<CacheRecord> record = verified();
        if (record.isPresent()) {
          description = described();
          if (isCurrent(record.get(), description)) {
            hits.increment();
            return State.READY;
          }
          tell("What is in the cache is not what there is now");
        }
        drop();
      }
      misses.increment();
      if (description == null) {
        description = described();
      }
      long announced = description.size().orElse(0L);
      if (announced == 0 || !reserve(entry, announced)) {
        bypasses.increment();
        tell(
            announced == 0
                ? "Its size is not known before; it is fetched past the cache"
                : "The cache has no room for its " + announced + " bytes; it is fetched past it");
        return State.PAST;
      }
      try (Staging staging = Staging.below(parts)) {
        makeRoomOnDisk(announced);
        Path fetched = source.fetch(staging, this::tell);
        keep(fetched, announced, description.version());
      }
      return State.READY;
    }

    /** The record of a kept entry whose file is what it was. */
    private Optional<CacheRecord> verified() throws InterruptedException {
      try {
        CacheRecord record = CacheRecord.read(index.resolve(Long.toString(entry.number)));
        if (fits(entry.file, record.size())
            && record.digest().equals(CacheRecord.digest(entry.file))) {
          return Optional.of(record);
        }
        LOG.warn("{} has changed since it was fetched, and is fetched again", entry.file);
      } catch (IOException e) {
        LOG.warn("{} cannot be used, and is fetched again: {}", entry.file, e.toString());
      }
      return Optional.empty();
    }

    private boolean isCurrent(CacheRecord record, Fetcher.Description now) {
      return now.size().filter(size -> size != 0 && size != record.size()).isEmpty()
          && (record.version().isEmpty()
              || now.version().isEmpty()
              || now.version().equals(record.version()));
    }

    /** Forgets the file of before. */
    private void drop() {
      delete(entry);
      synchronized (FetchCache.this) {
        if (entry.listed) {
          used -= entry.size;
        }
        entry.size = 0;
        entry.file = null;
      }
    }

    private Fetcher.Description described() throws InterruptedException {
      try {
        return describer.describe();
      } catch (IOException e) {
        tell("What it is could not be found out before: " + e.getMessage());
        return Fetcher.Description.UNKNOWN;
      }
    }

    private void keep(Path fetched, long announced, Optional<String> version)
        throws IOException, InterruptedException {
      long size = Files.size(fetched);
      String digest = CacheRecord.digest(fetched);
      long own;
      synchronized (FetchCache.this) {
        own = ++number;
      }
      Path home = folder.resolve(entry.user);
      try {
        Files.createDirectory(
            home,
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException e) {
        // This user has had entries before.
      }
      Path file = home.resolve("c" + own + "-" + shortened(name));
      Files.setPosixFilePermissions(fetched, PosixFilePermissions.fromString("r--------"));
      Files.move(fetched, file, StandardCopyOption.ATOMIC_MOVE);
      boolean stays;
      synchronized (FetchCache.this) {
        entry.number = own;
        entry.file = file;
        // One that is larger than it was said to be has no room.
        stays = size <= announced && size > 0 && entry.listed;
        if (stays) {
          used += size - entry.size;
          entry.size = size;
        } else {
          remove(entry);
          entry.size = size;
        }
      }
      if (stays) {
        // Without its record the file is deleted at the next start.
        new CacheRecord(entry.key, entry.user, file.getFileName().toString(), size, digest, version)
            .write(index.resolve(Long.toString(own)));
      }
    }

    private void tell(String line) {
      synchronized (FetchCache.this) {
        if (entry.said.size() < MOST_LINES) {
          entry.said.add(line);
        }
      }
    }
  }

  /** Of long names the begin and the end (rule 329). */
  static String shortened(String name) {
    return name.length() <= LONGEST_NAME
        ? name
        : name.substring(0, LONGEST_NAME / 2)
            + "_"
            + name.substring(name.length() - LONGEST_NAME / 2);
  }
}
