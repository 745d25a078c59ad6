package org.mezzo.containerizer.processes;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.mezzo.api.isolator.Container;
import org.mezzo.containerizer.Containerizer.Link;
import org.mezzo.containerizer.LaunchException;

/**
 * Links in sandboxes of containers that run. A sandbox is its user's, who may exchange what is in
 * it at any moment, so that nothing is made there with other rights than theirs. Safe for any
 * thread.
 */
final class SandboxLinks {
  private static final String MAKE =
      "umask 027; cd \"$1\" || exit; [ \"$(readlink \"./$2\")\" = \"$3\" ] && exit 0;"
          + " mkdir -p \"./${2%\"$4\"}\" && [ ! -e \"./$2\" ] && [ ! -L \"./$2\" ]"
          + " && ln -s \"$3\" \"./$2\"";

  private static final String REMOVE =
      "cd \"$1\" && [ \"$(readlink \"./$2\")\" = \"$3\" ] && rm \"./$2\"";

  private final SystemTools tools;
  private final Accounts accounts;
  private final Lanes lanes;

  SandboxLinks(SystemTools tools, Accounts accounts, Lanes lanes) {
    this.tools = tools;
    this.accounts = accounts;
    this.lanes = lanes;
  }

  /** As of {@link org.mezzo.containerizer.Containerizer#link}. */
  CompletionStage<Void> change(
      Container of, List<Link> made, List<Link> removed, List<Path> owned) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    accounts
        .find(Optional.of(of.user()), true, lanes.lookups)
        .whenComplete(
            (account, failure) -> {
              if (failure != null) {
                done.completeExceptionally(failure);
                return;
              }
              try {
                lanes.files.execute(
                    () -> {
                      try {
                        change(of, account, made, removed, owned);
                        done.complete(null);
                      } catch (LaunchException | RuntimeException e) {
                        done.completeExceptionally(e);
                      }
                    });
              } catch (RejectedExecutionException e) {
                done.completeExceptionally(new LaunchException("The agent is stopping", e));
              }
            });
    return done;
  }

  private void change(
      Container of,
      Optional<Accounts.Account> account,
      List<Link> made,
      List<Link> removed,
      List<Path> owned)
      throws LaunchException {
    for (Link link : removed) {
      succeeds(account, REMOVE, of.sandbox(), link);
    }
    for (Path folder : account.isPresent() ? owned : List.<Path>of()) {
      try {
        Sandboxes.chown(folder, account.get());
      } catch (IOException e) {
        throw new LaunchException(
            "Cannot give '" + folder + "' to user '" + of.user() + "': " + e, e);
      }
    }
    for (Link link : made) {
      make(of.id(), of.user(), of.sandbox(), account, link);
    }
  }

  /** Makes a link with the rights of the user whose sandbox it is in. Blocks. */
  void make(String id, String user, Path sandbox, Optional<Accounts.Account> account, Link link)
      throws LaunchException {
    if (!succeeds(account, MAKE, sandbox, link)) {
      throw new LaunchException(
          "Cannot make '"
              + link.at()
              + "' in the sandbox of container '"
              + id
              + "' for its user '"
              + user
              + "': something else is there already, or the user may not write there; give it"
              + " another path");
    }
  }

  private boolean succeeds(
      Optional<Accounts.Account> account, String script, Path sandbox, Link link) {
    return tools.succeeds(account, script, sandbox, link.at(), link.to(), link.at().getFileName());
  }
}
