package org.mezzo.master.rollouts;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.coordination.Coordination;
import org.mezzo.daemon.loop.EventLoop;
import org.mezzo.daemon.wanted.HostModules;
import org.mezzo.link.messages.MasterStanding;
import org.mezzo.link.messages.ModuleReport;
import org.mezzo.link.messages.ModuleStatus;
import org.mezzo.protocol.v1.MasterInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has the host of a master follow what the cluster wants, whether the master leads or not: looks at
 * the registry now and then, which the leader writes before anything is told to anybody, and leaves
 * a notice of how far the host is, which the leader reads. Belongs to the event loop.
 */
public final class MasterModules implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(MasterModules.class);

  /** How often to look; so long it takes a master to hear of a change. */
  private static final Duration LOOK = Duration.ofSeconds(1);

  /** Characters of a problem in a notice: all modules of a host have to fit into one. */
  private static final int MAX_PROBLEM = 1_000;

  /** What is wanted, as it was read last. */
  private record Read(byte[] value, DesiredModules wanted) {
    static final Read NOTHING = new Read(new byte[0], DesiredModules.NONE);
  }

  private final MasterInfo self;
  private final Member member;
  private final HostModules host;
  private final EventLoop loop;
  private final Executor readers;
  private final HostModules.Listener listener;
  private Optional<Coordination.Board> board = Optional.empty();
  private EventLoop.Timer timer = () -> {};
  private Read read = Read.NOTHING;

  /** The generation that the host was told; negative before it was told any. */
  private long told = -1;

  private boolean looking;
  private boolean again;
  private boolean closed;

  /** What was complained of last. */
  private String trouble = "";

  /**
   * Follows nothing before {@link #start}.
   *
   * @param host that of the process
   * @param readers where what was read is decoded
   */
  public MasterModules(MasterInfo self, HostModules host, EventLoop loop, Executor readers) {
    this.self = self;
    this.host = host;
    this.loop = loop;
    this.readers = readers;
    member = Member.OfMaster.of(self, false);
    listener = () -> loop.execute(this::look);
    host.add(Role.MASTER, listener);
  }

  /** Follows what is there from now on. Safe for any thread. */
  public void start(Coordination.Board there) {
    loop.execute(
        () -> {
          board = Optional.of(there);
          timer = loop.every(LOOK, this::look);
          look();
        });
  }

  /**
   * What masters say now, by their ids. For the event loop; completes on any thread, and fails
   * where that cannot be known at the moment.
   */
  public CompletionStage<Map<String, MasterStanding>> standings() {
    return board
        .map(it -> it.notices().thenApplyAsync(MasterModules::decoded, readers))
        .orElseGet(() -> CompletableFuture.completedFuture(Map.of()));
  }

  private void look() {
    if (closed || board.isEmpty()) {
      return;
    }
    if (looking) {
      again = true;
      return;
    }
    looking = true;
    again = false;
    Coordination.Board there = board.get();
    Read before = read;
    there
        .read(ModulesRegistry.KEY)
        .thenApplyAsync(value -> decoded(before, value), readers)
        .thenAcceptAsync(now -> want(there, now), loop)
        .thenComposeAsync(done -> there.post(member.id(), notice()), loop)
        .whenCompleteAsync(this::looked, loop);
  }

  private void looked(Void done, Throwable failure) {
    looking = false;
    if (failure == null) {
      trouble = "";
    } else if (!closed && !failure.toString().equals(trouble)) {
      trouble = failure.toString();
      LOG.warn(
          "What the cluster wants of the modules of masters cannot be followed, trying again: {}",
          trouble);
    }
    if (again) {
      look();
    }
  }

  private static Read decoded(Read before, Optional<byte[]> value) {
    if (value.isEmpty()) {
      return Read.NOTHING;
    }
    if (Arrays.equals(before.value(), value.get())) {
      return before;
    }
    try {
      return new Read(value.get(), ModulesRegistry.read(Map.of(ModulesRegistry.KEY, value.get())));
    } catch (InvalidProtocolBufferException e) {
      throw new CompletionException(e);
    }
  }

  private static Map<String, MasterStanding> decoded(Map<String, byte[]> notices) {
    Map<String, MasterStanding> standings = new TreeMap<>();
    notices.forEach(
        (id, notice) -> {
          try {
            standings.put(id, MasterStanding.parseFrom(notice));
          } catch (InvalidProtocolBufferException e) {
            LOG.debug("The notice of {} cannot be read", id, e);
          }
        });
    return standings;
  }

  private void want(Coordination.Board there, Read now) {
    read = now;
    if (closed || now.wanted().lastNumber() == 0) {
      return;
    }
    Generation generation = now.wanted().of(member.id());
    if (generation.number() != told) {
      told = generation.number();
      host.want(Role.MASTER, generation.message(member), (digest, size) -> jar(there, digest));
    }
  }

  /** A registry that does not answer is asked again; one that has no such jar is an answer. */
  private static CompletionStage<ByteString> jar(Coordination.Board there, String digest) {
    CompletableFuture<ByteString> jar = new CompletableFuture<>();
    BundleContents.fetch(there, digest)
        .whenComplete(
            (bytes, failure) -> {
              Throwable cause =
                  failure instanceof CompletionException ? failure.getCause() : failure;
              if (cause == null) {
                jar.complete(bytes);
              } else if (cause instanceof IOException) {
                jar.completeExceptionally(cause);
              } else {
                LOG.debug("The jar {} does not come", digest, cause);
                jar.completeExceptionally(new CancellationException());
              }
            });
    return jar;
  }

  private byte[] notice() {
    MasterStanding.Builder standing = MasterStanding.newBuilder().setMaster(self);
    if (told >= 0) {
      ModuleStatus.Builder modules = host.status(Role.MASTER).toBuilder();
      for (ModuleReport.Builder report : modules.getModulesBuilderList()) {
        if (report.getProblem().length() > MAX_PROBLEM) {
          report.setProblem(report.getProblem().substring(0, MAX_PROBLEM) + "...");
        }
      }
      standing.setModules(modules);
    }
    return standing.build().toByteArray();
  }

  /** Follows nothing more; what was installed stays. Safe for any thread. */
  @Override
  public void close() {
    host.remove(listener);
    loop.execute(
        () -> {
          closed = true;
          timer.cancel();
        });
  }
}
