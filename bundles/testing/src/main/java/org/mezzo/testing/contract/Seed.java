package org.mezzo.testing.contract;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/** Where the chance of the kits comes from, and how a failure tells it. */
final class Seed implements TestExecutionExceptionHandler {
  private static final String OPTION = "mezzo.contract.seed";

  /** The same for every run, unless the option says otherwise. */
  static final long VALUE = Long.getLong(OPTION, 1);

  Seed() {}

  @Override
  public void handleTestExecutionException(ExtensionContext context, Throwable failure)
      throws Throwable {
    if (failure instanceof AssertionError) {
      failure.addSuppressed(new SeedUsed("replayed with -D" + OPTION + "=" + VALUE));
    }
    throw failure;
  }

  /** A note in a failure, not an error. */
  private static final class SeedUsed extends Throwable {
    private static final long serialVersionUID = 1L;

    SeedUsed(String message) {
      super(message, null, false, false);
    }
  }
}
