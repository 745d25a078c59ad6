package org.mezzo.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.mezzo.flags.FlagException;
import org.mezzo.host.HostException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes the project of a module. */
@Command(
    name = "new",
    mixinStandardHelpOptions = true,
    versionProvider = Versions.class,
    description = "Make a Maven project with a module that works, with its test, to start from.")
final class ModuleNewCommand implements Callable<Integer> {
  @Option(
      names = "--kind",
      paramLabel = "KIND",
      required = true,
      description =
          "What the module is: allocator, isolator, hook, fetcher, container-logger,"
              + " http-authenticator, authorizer, resource-estimator, qos-controller,"
              + " secret-resolver, secret-generator, anonymous, checker, master-detector,"
              + " authenticatee or master-contender.")
  private String kind;

  @Option(
      names = "--name",
      paramLabel = "NAME",
      required = true,
      description = "What flags call it, as in --hooks=NAME.")
  private String name;

  @Option(
      names = "--package",
      paramLabel = "PACKAGE",
      defaultValue = "com.example",
      description = "The package of its class (default: ${DEFAULT-VALUE}).")
  private String javaPackage;

  @Option(
      names = "--directory",
      paramLabel = "DIR",
      description = "Where to make it: an absent or empty one (default: KIND-NAME, in this one).")
  private Path directory;

  @Override
  public Integer call() throws FlagException, HostException {
    Home home = Home.ofThisProcess();
    ModuleProject project =
        ModuleProject.checked(kind, name, javaPackage, home.directory(), Versions.ofMezzo());
    Path target =
        Optional.ofNullable(directory).orElse(Path.of(project.artifact())).toAbsolutePath();
    try {
      project.write(target.normalize());
    } catch (IOException e) {
      throw new HostException("The project cannot be written: " + e, e);
    }
    String mezzo = home.directory().resolve("bin").resolve("mezzo").toString();
    System.out.println("Made the " + kind + " '" + name + "' in " + target.normalize());
    System.out.println("In there:");
    System.out.println("  mvn package");
    System.out.println("    builds and tests it");
    System.out.println("  " + (mezzo + " local " + project.flags()).strip());
    System.out.println("    runs a cluster that uses it, in another terminal");
    System.out.println("  " + mezzo + " module dev");
    System.out.println("    swaps it into that cluster, at every save; README.md says more");
    return 0;
  }
}
