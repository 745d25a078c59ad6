package org.mezzo.containerizer;

import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * Looks at sandboxes between the fetching of URIs and the first process, which waits for it. Called
 * on threads of the containerizer, which must not be held up.
 */
public interface AfterFetch {

  /** Whether nobody looks. */
  boolean isEmpty();

  /**
   * Looks at one.
   *
   * @return complete when the launch may go on; that it fails does not matter to the launch, and
   *     that it is not complete does not keep the container from being destroyed
   */
  CompletionStage<?> fetched(ContainerId container, Path sandbox);

  /** Nobody looks. */
  AfterFetch NOBODY =
      new AfterFetch() {
        @Override
        public boolean isEmpty() {
          return true;
        }

        @Override
        public CompletionStage<?> fetched(ContainerId container, Path sandbox) {
          return CompletableFuture.completedStage(null);
        }
      };
}
