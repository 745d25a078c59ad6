package org.mezzo.daemon.files;

import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.daemon.border.Refused;

/** Why a virtual path cannot be shown; the message is meant for the client and may be empty. */
public final class FileException extends IOException {
  private static final long serialVersionUID = 1L;

  private final int status;

  /**
   * A reason.
   *
   * @param message empty when the status says it all
   */
  public FileException(int status, String message) {
    super(message);
    this.status = status;
  }

  /** The reason that a stage of {@link VirtualFiles} failed with; null for any other failure. */
  public static FileException of(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof FileException reason ? reason : null;
  }

  /**
   * The same stage, with reasons of this kind turned into answers.
   *
   * @param text what the client is told
   */
  public static <T> CompletionStage<T> refusing(
      CompletionStage<T> stage, Function<FileException, String> text) {
    return stage.exceptionallyCompose(
        failure -> {
          FileException reason = of(failure);
          return CompletableFuture.failedStage(
              reason == null ? failure : new Refused(reason.status, text.apply(reason)));
        });
  }

  /** The HTTP status that tells it: 400, 403, 404 or 503. */
  public int status() {
    return status;
  }
}
