package org.mezzo.master.operator;

import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.mezzo.api.authorization.Action;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.calls.CallExchange;
import org.mezzo.daemon.files.FileException;
import org.mezzo.daemon.files.VirtualFiles;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.master.Response;

/** What LIST_FILES and READ_FILE have in common. */
final class FileCalls {
  private FileCalls() {}

  /** Whether a path may be seen is asked by {@link VirtualFiles}, which knows whose it is. */
  static Permission<Call> permission() {
    return Permission.perObject(Action.ACCESS_SANDBOX, Action.ACCESS_MESOS_LOG);
  }

  /** Reads a path for those who may see it, and answers. */
  static <T> void answer(
      VirtualFiles files,
      String path,
      CallExchange exchange,
      Supplier<CompletionStage<T>> read,
      Function<T, Response> answer) {
    exchange.respondWhen(
        FileException.refusing(
                files.onBehalfOf(exchange.principal(), path, read), FileException::getMessage)
            .thenApply(answer));
  }
}
