package org.mezzo.deployment.bundles;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployment;
import org.mezzo.deployment.Deployments;
import org.mezzo.deployment.folder.ModuleFolder;
import org.mezzo.modules.ModuleLeases;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.metatype.annotations.Designate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread that changes which module bundles are installed: it follows the module folder and
 * serves requests.
 *
 * <p>What the hot folder held when the host starts is installed by the thread that activates this
 * component, so that daemons of a later start level find their modules.
 */
@Component(service = Deployments.class, immediate = true, configurationPid = "org.mezzo.deployment")
@Designate(ocd = Settings.class)
public final class BundleDeployments implements Deployments {
  private static final Logger LOG = LoggerFactory.getLogger(BundleDeployments.class);
  private static final String FOLDER_PROPERTY = "mezzo.modules.dir";

  private record Request(Supplier<Action> change, CompletableFuture<Action> done) {}

  private final ModuleBundles bundles;
  private final Copies copies;
  private final Ledger ledger;
  private final History history = new History();
  private final Optional<ModuleFolder> folder;
  private final Optional<FolderFollower> follower;
  private final RequestedChanges requested;
  private final LinkedBlockingQueue<Request> requests = new LinkedBlockingQueue<>();
  private final Thread thread;
  private volatile Settings settings;
  private volatile boolean closed;

  @Activate
  public BundleDeployments(
      BundleContext context,
      @Reference ModuleLeases leases,
      @Reference ServiceComponentRuntime components,
      Settings settings) {
    this.settings = settings;
    Supplier<Settings> current = () -> this.settings;
    DeclaredModules modules = new DeclaredModules(components);
    Uses uses = new Uses(leases);
    Probation probation = new Probation(leases, modules, uses, current);
    bundles = new ModuleBundles(context, leases, current);
    copies = new Copies(context);
    ledger = new Ledger(modules);
    Installation installation =
        new Installation(bundles, probation, uses, leases, copies, ledger, history);
    Changes changes =
        new Changes(
            bundles,
            installation,
            new RollingSwap(bundles, probation, uses, leases, copies, ledger, history),
            new InPlaceUpdate(bundles, probation, uses, leases, copies, ledger, history),
            ledger,
            history);
    String dir = context.getProperty(FOLDER_PROPERTY);
    folder =
        dir == null || dir.isBlank()
            ? Optional.empty()
            : Optional.of(
                new ModuleFolder(
                    Path.of(dir).toAbsolutePath(), Duration.ofMillis(settings.settleMillis())));
    follower = folder.map(hot -> new FolderFollower(hot, ledger, installation, changes, current));
    requested = new RequestedChanges(folder, ledger, changes, history);
    bundles.removeLeftovers();
    follower.ifPresent(FolderFollower::installFirst);
    ledger.publish();
    thread = new Thread(this::run, "mezzo-deployment");
    thread.setDaemon(true);
    thread.setContextClassLoader(null);
    thread.start();
  }

  @Modified
  void modified(Settings changed) {
    settings = changed;
  }

  @Deactivate
  void deactivate() throws InterruptedException {
    closed = true;
    thread.interrupt();
    thread.join(2_000);
    for (Request request = requests.poll(); request != null; request = requests.poll()) {
      request.done.completeExceptionally(new IllegalStateException("The host is stopping"));
    }
  }

  private void run() {
    try (FolderWatch watch =
        folder.map(hot -> FolderWatch.of(hot.dir())).orElseGet(FolderWatch::none)) {
      ledger.installed().forEach(entry -> copies.keep(entry, entry.jar.path()));
      while (!closed) {
        Request request = next(watch);
        if (request != null) {
          serve(request);
        }
        followAndPublish();
      }
    } catch (InterruptedException e) {
      LOG.debug("Deployment ends");
    } catch (IOException e) {
      LOG.warn("The watch of the module folder does not close", e);
    }
  }

  private void followAndPublish() {
    try {
      forgetUninstalled();
      follower.ifPresent(FolderFollower::follow);
      ledger.publish();
    } catch (RuntimeException e) {
      if (!closed) {
        LOG.error("The module folder could not be followed; it is looked at again", e);
      }
    }
  }

  /** Waits for a request, a hint of the file system or the time to look again. */
  private Request next(FolderWatch watch) throws InterruptedException {
    boolean unsettled = follower.filter(FolderFollower::unsettled).isPresent();
    long until =
        System.nanoTime()
            + TimeUnit.MILLISECONDS.toNanos(
                unsettled
                    ? Math.min(settings.settleMillis(), settings.pollMillis())
                    : settings.pollMillis());
    while (!closed) {
      long left = until - System.nanoTime();
      if (left <= 0) {
        return null;
      }
      Request request =
          requests.poll(Math.min(left, TimeUnit.MILLISECONDS.toNanos(100)), TimeUnit.NANOSECONDS);
      if (request != null) {
        return request;
      }
      if (watch.changed() && !unsettled) {
        return null;
      }
    }
    return null;
  }

  private void serve(Request request) {
    try {
      forgetUninstalled();
      Action action = request.change.get();
      ledger.publish();
      request.done.complete(action);
    } catch (RuntimeException e) {
      LOG.error("A change of the installed modules failed", e);
      request.done.completeExceptionally(e);
    }
  }

  /** What somebody else uninstalled is not there; what the folder still holds comes back. */
  private void forgetUninstalled() {
    for (Installed entry : ledger.installed()) {
      if (entry.bundle.getState() == Bundle.UNINSTALLED) {
        LOG.warn(
            "{} was uninstalled by something else than deployment; while its jar is in the module"
                + " folder it is installed again",
            Reasons.name(entry.bundle));
        ledger.remove(entry);
        Copies.discard(entry.kept);
      }
    }
  }

  @Override
  public CompletionStage<Action> install(Path jar) {
    return request(() -> requested.install(jar, jar.getFileName().toString(), false));
  }

  @Override
  public CompletionStage<Action> swap(Path jar) {
    return request(() -> requested.install(jar, jar.getFileName().toString(), true));
  }

  @Override
  public CompletionStage<Action> install(String fileName, InputStream jar) throws IOException {
    String name = Path.of(fileName).getFileName().toString();
    Path received = Files.createTempFile("mezzo-module", ".jar");
    try {
      Files.copy(jar, received, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      Copies.discard(received);
      throw e;
    }
    return request(() -> requested.install(received, name, false))
        .whenComplete((action, failure) -> Copies.discard(received));
  }

  @Override
  public CompletionStage<Action> uninstall(String symbolicName) {
    return request(() -> requested.uninstall(symbolicName));
  }

  private CompletionStage<Action> request(Supplier<Action> change) {
    CompletableFuture<Action> done = new CompletableFuture<>();
    if (closed) {
      done.completeExceptionally(new IllegalStateException("The host is stopping"));
    } else {
      requests.add(new Request(change, done));
    }
    return done.minimalCompletionStage();
  }

  @Override
  public List<Deployment> list() {
    return ledger.list();
  }

  @Override
  public List<Action> history() {
    return history.list();
  }

  @Override
  public Optional<Path> folder() {
    return folder.map(ModuleFolder::dir);
  }
}
