package org.mezzo.daemon.wanted;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a host remembers of what the cluster wanted: what it had before, with the jars of that, what
 * was installed since, and what was tried last. Kept in a folder, so that the next process goes on
 * with it. For one thread.
 */
final class HostRecord {
  private static final Logger LOG = LoggerFactory.getLogger(HostRecord.class);
  private static final String FILE = "record.properties";
  private static final String SETUP = "setup";
  private static final String BASE = "base.";
  private static final String OURS = "ours.";
  private static final String TRIED = "tried.";

  private final Path folder;
  private final Map<String, LayerRule.Memory> memories = new HashMap<>();

  /** Digest and generation of what was tried last, by symbolic name. */
  private final Map<String, String> tried = new HashMap<>();

  private String setup;

  private HostRecord(Path folder, String setup) {
    this.folder = folder;
    this.setup = setup;
  }

  /**
   * Opens it. What cannot be read counts as nothing: then everything there is what the host was set
   * up with.
   *
   * @param setup names what the host was set up with: another one means that its bundles were
   *     replaced, and by nobody's hand
   */
  static HostRecord open(Path folder, String setup) throws IOException {
    Files.createDirectories(folder);
    HostRecord record = new HostRecord(folder, setup);
    Path file = folder.resolve(FILE);
    if (Files.exists(file)) {
      Properties stored = new Properties();
      try (InputStream in = Files.newInputStream(file)) {
        stored.load(in);
        record.read(stored);
      } catch (IOException | IllegalArgumentException e) {
        LOG.warn(
            "{} cannot be read; what is installed counts as what this host was set up with: {}",
            file,
            e.toString());
      }
    }
    return record;
  }

  private void read(Properties stored) {
    setup = stored.getProperty(SETUP, setup);
    for (String key : stored.stringPropertyNames()) {
      if (key.startsWith(BASE)) {
        String name = key.substring(BASE.length());
        String ours = stored.getProperty(OURS + name, "");
        memories.put(
            name,
            new LayerRule.Memory(
                Optional.of(stored.getProperty(key)).filter(it -> !it.isEmpty()),
                Arrays.stream(ours.split(","))
                    .filter(it -> !it.isEmpty())
                    .collect(Collectors.toSet())));
      } else if (key.startsWith(TRIED)) {
        tried.put(key.substring(TRIED.length()), stored.getProperty(key));
      }
    }
  }

  /**
   * The host may have been set up anew, say with another version of Mezzo: what it has then of what
   * the cluster has not put there is what it was set up with.
   *
   * @param installed digests by symbolic name
   */
  void settle(String now, Map<String, String> installed) throws IOException {
    if (now.equals(setup)) {
      return;
    }
    setup = now;
    memories.replaceAll(
        (name, memory) -> {
          String digest = installed.get(name);
          return digest == null || memory.ours().contains(digest)
              ? memory
              : new LayerRule.Memory(Optional.of(digest), memory.ours());
        });
    save();
  }

  Optional<LayerRule.Memory> memory(String name) {
    return Optional.ofNullable(memories.get(name));
  }

  /** Symbolic names that something is remembered of. */
  Set<String> names() {
    return new HashSet<>(memories.keySet());
  }

  /** Whether the same digest was tried for the same generation already. */
  boolean tried(String name, String digest, long generation) {
    return (digest + "@" + generation).equals(tried.get(name));
  }

  /**
   * A jar is about to be installed.
   *
   * @param base the digest of what is there, to be remembered if nothing is yet; empty for none
   * @param jar the file of what is there; empty when it has none
   */
  void begin(String name, String digest, long generation, Optional<String> base, Optional<Path> jar)
      throws IOException {
    LayerRule.Memory before = memories.get(name);
    if (before == null) {
      if (base.isPresent() && jar.isPresent()) {
        Path part = folder.resolve("." + base.get() + ".part");
        Files.copy(jar.get(), part, StandardCopyOption.REPLACE_EXISTING);
        Files.move(part, jar(base.get()), StandardCopyOption.ATOMIC_MOVE);
      }
      before = new LayerRule.Memory(base, Set.of());
    }
    Set<String> ours = new LinkedHashSet<>(before.ours());
    ours.add(digest);
    memories.put(name, new LayerRule.Memory(before.base(), ours));
    tried.put(name, digest + "@" + generation);
    save();
  }

  /** Where the jar of that digest is, which the host was set up with. */
  Path jar(String digest) {
    return folder.resolve(digest + ".jar");
  }

  /** The cluster has nothing to do with it any more. */
  void forget(String name) throws IOException {
    if (memories.remove(name) != null | tried.remove(name) != null) {
      save();
    }
  }

  private void save() throws IOException {
    Properties stored = new Properties();
    stored.setProperty(SETUP, setup);
    memories.forEach(
        (name, memory) -> {
          stored.setProperty(BASE + name, memory.base().orElse(""));
          stored.setProperty(OURS + name, String.join(",", memory.ours()));
        });
    tried.forEach((name, what) -> stored.setProperty(TRIED + name, what));
    Path part = folder.resolve("." + FILE + ".part");
    try (OutputStream out = Files.newOutputStream(part)) {
      stored.store(out, null);
    }
    Files.move(
        part,
        folder.resolve(FILE),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    deleteUnneeded();
  }

  private void deleteUnneeded() throws IOException {
    Set<String> needed = new HashSet<>();
    memories.values().forEach(it -> it.base().ifPresent(base -> needed.add(base + ".jar")));
    try (DirectoryStream<Path> jars = Files.newDirectoryStream(folder, "*.jar")) {
      for (Path jar : jars) {
        if (!needed.contains(jar.getFileName().toString())) {
          Files.deleteIfExists(jar);
        }
      }
    }
  }
}
