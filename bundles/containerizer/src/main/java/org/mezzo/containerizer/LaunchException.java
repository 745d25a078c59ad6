package org.mezzo.containerizer;

import java.util.concurrent.CompletionException;
import org.mezzo.modules.ModuleException;

/** A container could not be launched; the message says why. */
public class LaunchException extends Exception {
  private static final long serialVersionUID = 1L;

  public LaunchException(String message) {
    super(message);
  }

  public LaunchException(String message, Throwable cause) {
    super(message, cause);
  }

  /**
   * A launch that a module did not answer for.
   *
   * @param module its kind and name, as a sentence begins
   * @param remedy what to do where it is absent
   * @param failure of the call
   */
  public static LaunchException of(String module, String remedy, Throwable failure) {
    Throwable root = failure;
    while (root instanceof CompletionException && root.getCause() != null) {
      root = root.getCause();
    }
    if (ModuleException.isAbsence(failure)) {
      return new LaunchException(module + " is not available; " + remedy, root);
    }
    boolean thrown =
        root instanceof ModuleException of
            && of.kind() == ModuleException.Kind.THREW
            && of.getCause() != null
            && of.getCause().getMessage() != null;
    return new LaunchException(
        module + " failed: " + (thrown ? root.getCause().getMessage() : root.getMessage()), root);
  }
}
