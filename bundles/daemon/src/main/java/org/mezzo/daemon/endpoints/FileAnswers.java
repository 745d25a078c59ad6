package org.mezzo.daemon.endpoints;

import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.border.Router;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.http.HttpExchange;

/** What {@code /files/browse}, {@code read} and {@code download} have in common. */
final class FileAnswers {
  /** Whether a path may be seen is asked by {@link VirtualFiles}, which knows whose it is. */
  static final Permission<HttpExchange> PERMISSION =
      Permission.perObject(Action.ACCESS_SANDBOX, Action.ACCESS_MESOS_LOG);

  static final String PATH_MEANING = "the virtual path, as /files/debug lists them, or below one";

  private final VirtualFiles files;
  private final Executor workers;

  FileAnswers(VirtualFiles files, Executor workers) {
    this.files = files;
    this.workers = workers;
  }

  VirtualFiles files() {
    return files;
  }

  /**
   * Reads the path that the query names, for those who may see it, and answers on a worker.
   *
   * @param notFound what is said of a path that is not there
   */
  <T> void answer(
      HttpExchange exchange,
      Optional<Principal> principal,
      String notFound,
      Function<String, CompletionStage<T>> read,
      Router.Then<T> answer)
      throws Refused {
    String path = exchange.query().get("path");
    if (path == null || path.isEmpty()) {
      throw new Refused(400, "Expecting 'path=value' in query.\n");
    }
    Router.when(
        exchange,
        FileException.refusing(
            files.onBehalfOf(principal, path, () -> read.apply(path)),
            reason -> reason.getMessage().isEmpty() ? notFound : reason.getMessage() + ".\n"),
        workers,
        answer);
  }
}
