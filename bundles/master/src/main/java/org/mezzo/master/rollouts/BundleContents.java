package org.mezzo.master.rollouts;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.mezzo.coordination.Coordination;
import org.mezzo.coordination.Registry;
import org.mezzo.master.registry.ModuleContent;

/**
 * The jars of wanted bundles by digest, as the registry holds them: in parts that fit into a node,
 * behind which a value says that all are there. Parts without it are what a master left that ended
 * meanwhile. Belongs to the event loop.
 */
final class BundleContents {
  /** Bytes of the largest jar. */
  static final int MAX_BYTES = 16 << 20;

  /** Bytes of all jars: the registry is read as a whole at the begin of each term. */
  static final long MAX_TOTAL_BYTES = 64L << 20;

  /** Bytes of a part, in the registry and on the link. */
  static final int PART_BYTES = 512 << 10;

  private static final String SECTION = "modules-content/";

  private final Map<String, ByteString> jars = new HashMap<>();

  /** Keys of the registry by the digest that they are about, whole or not. */
  private final Map<String, List<String>> keys = new TreeMap<>();

  /** What the registry holds; jars that are not whole are not there. */
  static BundleContents read(Map<String, byte[]> registry) throws InvalidProtocolBufferException {
    BundleContents contents = new BundleContents();
    for (String key : registry.keySet()) {
      if (key.startsWith(SECTION)) {
        String name = key.substring(SECTION.length());
        int dot = name.indexOf('.');
        contents
            .keys
            .computeIfAbsent(dot < 0 ? name : name.substring(0, dot), it -> new ArrayList<>())
            .add(key);
      }
    }
    for (String digest : contents.keys.keySet()) {
      byte[] last = registry.get(SECTION + digest);
      if (last != null) {
        ModuleContent whole =
            ModuleContent.parseFrom(ModulesRegistry.content(last, "the jar " + digest));
        contents.assemble(registry, digest, whole);
      }
    }
    return contents;
  }

  private void assemble(Map<String, byte[]> registry, String digest, ModuleContent whole) {
    List<ByteString> parts = new ArrayList<>();
    for (int i = 0; i < whole.getParts(); i++) {
      byte[] part = registry.get(part(digest, i));
      if (part == null) {
        return;
      }
      parts.add(ByteString.copyFrom(part));
    }
    ByteString jar = ByteString.copyFrom(parts);
    if (jar.size() == whole.getSize()) {
      jars.put(digest, jar);
    }
  }

  /**
   * Gets a jar out of a registry that somebody else writes; on any thread.
   *
   * @return fails with an {@link IOException} when it is not there
   */
  static CompletionStage<ByteString> fetch(Coordination.Board board, String digest) {
    return board
        .read(SECTION + digest)
        .thenCompose(
            last -> {
              if (last.isEmpty()) {
                return missing(digest);
              }
              try {
                int parts =
                    ModuleContent.parseFrom(
                            ModulesRegistry.content(last.get(), "the jar " + digest))
                        .getParts();
                return fetch(board, digest, parts, ByteString.EMPTY, 0);
              } catch (InvalidProtocolBufferException e) {
                return CompletableFuture.failedFuture(e);
              }
            });
  }

  private static CompletionStage<ByteString> fetch(
      Coordination.Board board, String digest, int parts, ByteString have, int next) {
    if (next == parts) {
      return CompletableFuture.completedFuture(have);
    }
    return board
        .read(part(digest, next))
        .thenCompose(
            part ->
                part.isEmpty()
                    ? missing(digest)
                    : fetch(
                        board,
                        digest,
                        parts,
                        have.concat(ByteString.copyFrom(part.get())),
                        next + 1));
  }

  private static CompletionStage<ByteString> missing(String digest) {
    return CompletableFuture.failedFuture(new IOException("the registry has no jar " + digest));
  }

  private static String part(String digest, int index) {
    return SECTION + digest + "." + index;
  }

  /** Whether a jar is there as a whole. */
  boolean has(String digest) {
    return jars.containsKey(digest);
  }

  Optional<ByteString> jar(String digest) {
    return Optional.ofNullable(jars.get(digest));
  }

  /** Bytes of all jars. */
  long size() {
    return jars.values().stream().mapToLong(ByteString::size).sum();
  }

  /** Part of a jar from an offset on; empty when there is no such jar, or not so much of it. */
  Optional<ByteString> part(String digest, long offset) {
    ByteString jar = jars.get(digest);
    if (jar == null || offset < 0 || offset >= jar.size()) {
      return Optional.empty();
    }
    int from = (int) offset;
    return Optional.of(jar.substring(from, Math.min(jar.size(), from + PART_BYTES)));
  }

  /**
   * The writes that keep a jar, to be made in this order, each by itself: the last one says that
   * all parts are there.
   */
  List<Registry.Change> writes(String digest, byte[] jar) {
    List<Registry.Change> writes = new ArrayList<>();
    int parts = 0;
    for (int from = 0; from < jar.length; from += PART_BYTES) {
      byte[] part = Arrays.copyOfRange(jar, from, Math.min(jar.length, from + PART_BYTES));
      writes.add(new Registry.Change(part(digest, parts++), part));
    }
    ModuleContent whole = ModuleContent.newBuilder().setSize(jar.length).setParts(parts).build();
    writes.add(new Registry.Change(SECTION + digest, ModulesRegistry.bytes(whole)));
    keys.put(digest, writes.stream().map(Registry.Change::key).toList());
    return writes;
  }

  /** The jar is kept by the registry from now on. */
  void kept(String digest, byte[] jar) {
    jars.put(digest, ByteString.copyFrom(jar));
  }

  /**
   * Forgets all jars but these, and what is left of others.
   *
   * @return the writes that have the registry forget them: what says that a jar is whole goes first
   */
  List<Registry.Change> retain(Set<String> digests) {
    List<Registry.Change> writes = new ArrayList<>();
    for (String digest : List.copyOf(keys.keySet())) {
      if (!digests.contains(digest)) {
        keys.remove(digest).stream()
            .sorted()
            .forEach(key -> writes.add(new Registry.Change(key, null)));
        jars.remove(digest);
      }
    }
    return writes;
  }
}
