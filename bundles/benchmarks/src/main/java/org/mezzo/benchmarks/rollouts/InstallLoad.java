package org.mezzo.benchmarks.rollouts;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * How long it takes from giving a running daemon a version of a module until the module is in use:
 * by HTTP, where the answer tells of the trial as well, and by a copy into its modules folder.
 *
 * <p>Arguments: {@code HOST:PORT MODULES_FOLDER JAR [COUNT]}: a jar with one module, which the
 * daemon wants; 20 versions each when there is no other number.
 */
public final class InstallLoad {
  private static final int LIMIT_SECONDS = 120;
  private static final int LOOK_MILLIS = 2;
  private static final double MILLI = 1e6;

  private final HttpClient http = HttpClient.newHttpClient();
  private final URI modules;
  private final String jar;
  private int version;

  private InstallLoad(String daemon, String jar) {
    modules = URI.create("http://" + daemon + "/mezzo/modules");
    this.jar = jar;
  }

  public static void main(String[] arguments) throws Exception {
    if (arguments.length < 3 || arguments.length > 4) {
      System.err.println("Arguments: HOST:PORT MODULES_FOLDER JAR [COUNT]");
      System.exit(2);
    }
    int count = arguments.length == 4 ? Integer.parseInt(arguments[3]) : 20;
    InstallLoad load = new InstallLoad(arguments[0], arguments[2]);
    System.out.println(
        "| door | versions | in use, median | longest | answered, median | longest |\n"
            + "|---|---|---|---|---|---|");
    load.byHttp(count);
    load.byFolder(count, Path.of(arguments[1]));
    System.exit(0);
  }

  private String nextVersion() {
    return "1000.0." + ++version;
  }

  private void byHttp(int count) throws Exception {
    double[] used = new double[count];
    double[] answered = new double[count];
    for (int i = 0; i < count; i++) {
      String next = nextVersion();
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(modules + "/install?name=" + version + ".jar"))
              .POST(HttpRequest.BodyPublishers.ofByteArray(VersionedJar.of(jar, next, "")))
              .build();
      long begin = System.nanoTime();
      var answer =
          http.sendAsync(request, HttpResponse.BodyHandlers.ofString())
              .thenApply(
                  response -> {
                    if (response.statusCode() != 200) {
                      throw new IllegalStateException(
                          response.statusCode() + " " + response.body());
                    }
                    return System.nanoTime() - begin;
                  });
      used[i] = awaitUsed(next, begin);
      answered[i] = answer.get(LIMIT_SECONDS, TimeUnit.SECONDS) / MILLI;
    }
    print("`POST /mezzo/modules/install`", used, Optional.of(answered));
  }

  private void byFolder(int count, Path folder) throws Exception {
    double[] used = new double[count];
    for (int i = 0; i < count; i++) {
      String next = nextVersion();
      Path whole = Files.write(Path.of(folder + ".new"), VersionedJar.of(jar, next, ""));
      long begin = System.nanoTime();
      Files.move(whole, folder.resolve(version + ".jar"), StandardCopyOption.ATOMIC_MOVE);
      used[i] = awaitUsed(next, begin);
    }
    print("the modules folder", used, Optional.empty());
  }

  /** Milliseconds until a daemon has a lease of that version. */
  private double awaitUsed(String wanted, long begin) throws IOException, InterruptedException {
    String bundle = "\"version\":\"" + wanted + "\"},\"state\":\"leased\"";
    HttpRequest look = HttpRequest.newBuilder(modules).build();
    while (!http.send(look, HttpResponse.BodyHandlers.ofString()).body().contains(bundle)) {
      if (System.nanoTime() - begin > TimeUnit.SECONDS.toNanos(LIMIT_SECONDS)) {
        throw new IllegalStateException("Nobody uses " + wanted + " of " + jar);
      }
      Thread.sleep(LOOK_MILLIS);
    }
    return (System.nanoTime() - begin) / MILLI;
  }

  private static void print(String door, double[] used, Optional<double[]> answered) {
    System.out.printf(
        Locale.ROOT,
        "| %s | %d | %s | %s |%n",
        door,
        used.length,
        figures(used),
        answered.map(InstallLoad::figures).orElse("- | -"));
  }

  private static String figures(double[] millis) {
    Arrays.sort(millis);
    return String.format(
        Locale.ROOT, "%.0f ms | %.0f ms", millis[millis.length / 2], millis[millis.length - 1]);
  }
}
