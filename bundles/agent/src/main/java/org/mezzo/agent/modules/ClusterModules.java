package org.mezzo.agent.modules;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.daemon.loop.EventLoop.Timer;
import org.mezzo.daemon.wanted.HostModules;
import org.mezzo.link.messages.AgentCall;
import org.mezzo.link.messages.FetchModule;
import org.mezzo.link.messages.ModuleChunk;
import org.mezzo.link.messages.WantedModules;

/**
 * What an agent and its master have to say to each other about module bundles: hands on what is
 * wanted, fetches jars part by part, and tells how far the host is. For the event loop only.
 */
public final class ClusterModules implements AutoCloseable {
  /** What the agent says of itself when it opens a link. */
  public static final String CAPABILITY = "MODULES";

  /** How long one part of a jar may take. */
  private static final Duration PART = Duration.ofSeconds(30);

  /** A jar on its way. */
  private static final class Fetch {
    private final String digest;
    private final long size;
    private final CompletableFuture<ByteString> jar;
    private ByteString have = ByteString.EMPTY;
    private Timer limit = () -> {};

    Fetch(String digest, long size, CompletableFuture<ByteString> jar) {
      this.digest = digest;
      this.size = size;
      this.jar = jar;
    }
  }

  private final HostModules host;
  private final Executor loop;
  private final BiFunction<Duration, Runnable, Timer> timers;
  private final Consumer<AgentCall.Builder> master;
  private final HostModules.Listener listener;
  private Optional<Fetch> fetch = Optional.empty();
  private boolean registered;

  /** The master has said what is wanted, on this link or an earlier one. */
  private boolean told;

  /**
   * Knows of nothing that is wanted.
   *
   * @param host that of the process
   * @param master sends to the master, if there is a link
   */
  public ClusterModules(
      HostModules host,
      Executor loop,
      BiFunction<Duration, Runnable, Timer> timers,
      Consumer<AgentCall.Builder> master) {
    this.host = host;
    this.loop = loop;
    this.timers = timers;
    this.master = master;
    listener = () -> loop.execute(this::tell);
    host.add(Role.AGENT, listener);
  }

  /** The master knows the agent, and hears how far the host is where it has told something. */
  public void registered() {
    registered = true;
    tell();
  }

  /** There is no master any more; what was on its way is asked for again once one says so. */
  public void disconnected() {
    registered = false;
    fetch.ifPresent(this::cutOff);
  }

  /** The master says what the cluster wants here. */
  public void wanted(WantedModules wanted) {
    told = true;
    host.want(Role.AGENT, wanted, this::jar);
    // It may be what the host has already.
    tell();
  }

  private void tell() {
    if (registered && told) {
      master.accept(AgentCall.newBuilder().setModuleStatus(host.status(Role.AGENT)));
    }
  }

  private CompletionStage<ByteString> jar(String digest, long size) {
    CompletableFuture<ByteString> jar = new CompletableFuture<>();
    loop.execute(
        () -> {
          fetch.ifPresent(this::cutOff);
          if (!registered) {
            jar.cancel(false);
            return;
          }
          Fetch begun = new Fetch(digest, size, jar);
          fetch = Optional.of(begun);
          next(begun);
        });
    return jar;
  }

  private void cutOff(Fetch cut) {
    end(cut);
    cut.jar.cancel(false);
  }

  private void next(Fetch of) {
    of.limit.cancel();
    of.limit =
        timers.apply(
            PART,
            () -> {
              end(of);
              of.jar.completeExceptionally(
                  new IOException("no part of it came for " + PART.toSeconds() + " s"));
            });
    master.accept(
        AgentCall.newBuilder()
            .setFetchModule(
                FetchModule.newBuilder().setSha256(of.digest).setOffset(of.have.size())));
  }

  private void end(Fetch of) {
    of.limit.cancel();
    if (fetch.filter(it -> it == of).isPresent()) {
      fetch = Optional.empty();
    }
  }

  /** The master sends a part of a jar. */
  public void chunk(ModuleChunk chunk) {
    Optional<Fetch> expecting =
        fetch.filter(
            it -> it.digest.equals(chunk.getSha256()) && it.have.size() == chunk.getOffset());
    if (expecting.isEmpty()) {
      return;
    }
    Fetch of = expecting.get();
    if (chunk.getData().isEmpty()) {
      end(of);
      of.jar.completeExceptionally(new IOException("it has no jar " + of.digest));
      return;
    }
    of.have = of.have.concat(chunk.getData());
    if (of.have.size() < of.size) {
      next(of);
      return;
    }
    end(of);
    of.jar.complete(of.have);
  }

  /** Tells nothing more, and has jars come from elsewhere. Safe for any thread. */
  @Override
  public void close() {
    host.remove(listener);
    loop.execute(this::disconnected);
  }
}
