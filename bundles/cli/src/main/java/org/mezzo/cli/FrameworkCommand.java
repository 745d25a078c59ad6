package org.mezzo.cli;

import java.io.IOException;
import java.util.Map;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Decides about the frameworks of a cluster. */
@Command(
    name = "framework",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Decide about the frameworks of a cluster.")
final class FrameworkCommand implements Runnable {
  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Missing command");
  }

  @Command(
      name = "readmit",
      mixinStandardHelpOptions = true,
      versionProvider = Versions.class,
      description = "Let a framework that has been removed subscribe again with its id.")
  int readmit(
      @Mixin MasterTarget target,
      @Parameters(paramLabel = "FRAMEWORK_ID", description = "Id of the framework.")
          String framework)
      throws HostException, FlagException, InterruptedException {
    HttpJson http = new HttpJson(target.credential());
    try (Masters masters = target.find()) {
      http.postForm(
          "http://%s/mezzo/frameworks/readmit".formatted(http.leader(masters.address())),
          Map.of("frameworkId", framework));
      System.out.println("framework " + framework + " may subscribe again");
      return 0;
    } catch (IOException e) {
      throw new HostException("the framework is not readmitted: " + e.getMessage(), e);
    }
  }
}
