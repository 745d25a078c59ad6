package org.mezzo.agent.recovery;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.mezzo.containerizer.ContainerId;
import org.mezzo.containerizer.Containerizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Containers that an earlier process of the agent left. */
public final class LeftContainers {
  private static final Logger LOG = LoggerFactory.getLogger(LeftContainers.class);
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private LeftContainers() {}

  /**
   * Takes over the containers of executors that are kept, and ends all others. Blocks.
   *
   * @param misfits the containers of executors that are kept and have to go
   * @param standalone whether one belongs to no executor and is kept
   * @param found told of all that were found, and whether they go on
   * @param runtime where their files are, for people
   * @return what was found of the kept ones, by id
   * @throws IOException when they cannot be taken over, or do not end in time
   */
  public static Map<String, Containerizer.Recovered> recover(
      Containerizer containerizer,
      Journal.Kept kept,
      Set<String> misfits,
      Predicate<ContainerId> standalone,
      Consumer<List<Containerizer.Recovered>> found,
      Path runtime)
      throws IOException {
    Set<String> wanted =
        kept.executors().stream()
            .map(executor -> executor.getContainerId().getValue())
            .filter(container -> !misfits.contains(container))
            .collect(Collectors.toSet());
    CompletableFuture<List<Containerizer.Recovered>> recovering =
        containerizer
            .recover(container -> wanted.contains(container.value()) || standalone.test(container))
            .toCompletableFuture();
    try {
      List<Containerizer.Recovered> all = recovering.get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
      found.accept(all);
      Map<String, Containerizer.Recovered> left = new HashMap<>();
      all.stream()
          .filter(each -> wanted.contains(each.containerId().root().value()))
          .forEach(each -> left.put(each.containerId().toString(), each));
      long adopted = all.stream().filter(Containerizer.Recovered::adopted).count();
      if (!all.isEmpty()) {
        LOG.info(
            "Of {} containers of an earlier agent process {} run on; the others are gone",
            all.size(),
            adopted);
      }
      return left;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while taking over old containers", e);
    } catch (ExecutionException e) {
      throw new IOException("Cannot take over old containers: " + e.getCause(), e);
    } catch (TimeoutException e) {
      throw new IOException(
          "Containers of an earlier agent process do not end within "
              + LIMIT.toSeconds()
              + " s; end what runs below "
              + runtime
              + " and start this agent again",
          e);
    }
  }
}
