package org.mezzo.itests.swap;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.mezzo.api.Module;
import org.mezzo.examples.allocator.RoundRobinAllocator;
import org.mezzo.itests.osgi.BuildFolders;
import org.mezzo.itests.swap.modules.SwappedAllocator;
import org.mezzo.itests.swap.modules.SwappedAnonymous;
import org.mezzo.itests.swap.modules.SwappedAuthenticatee;
import org.mezzo.itests.swap.modules.SwappedAuthenticator;
import org.mezzo.itests.swap.modules.SwappedAuthorizer;
import org.mezzo.itests.swap.modules.SwappedChecker;
import org.mezzo.itests.swap.modules.SwappedContender;
import org.mezzo.itests.swap.modules.SwappedController;
import org.mezzo.itests.swap.modules.SwappedDetector;
import org.mezzo.itests.swap.modules.SwappedEstimator;
import org.mezzo.itests.swap.modules.SwappedFetcher;
import org.mezzo.itests.swap.modules.SwappedGenerator;
import org.mezzo.itests.swap.modules.SwappedHook;
import org.mezzo.itests.swap.modules.SwappedIsolator;
import org.mezzo.itests.swap.modules.SwappedLogger;
import org.mezzo.itests.swap.modules.SwappedResolver;
import org.mezzo.itests.swap.modules.Witness;
import org.mezzo.modules.Kind;
import org.mezzo.modules.Kinds;
import org.mezzo.testing.bundles.ModuleBundle;

/**
 * Versions of a module of each kind that differ in what they sign with. Apart from the test, as it
 * runs outside the framework.
 */
final class SwapBundles {
  private static final Map<Kind<?>, Class<? extends Module>> TYPES =
      Map.ofEntries(
          Map.entry(Kinds.ALLOCATOR, SwappedAllocator.class),
          Map.entry(Kinds.ISOLATOR, SwappedIsolator.class),
          Map.entry(Kinds.HOOK, SwappedHook.class),
          Map.entry(Kinds.FETCHER, SwappedFetcher.class),
          Map.entry(Kinds.CONTAINER_LOGGER, SwappedLogger.class),
          Map.entry(Kinds.HTTP_AUTHENTICATOR, SwappedAuthenticator.class),
          Map.entry(Kinds.AUTHORIZER, SwappedAuthorizer.class),
          Map.entry(Kinds.RESOURCE_ESTIMATOR, SwappedEstimator.class),
          Map.entry(Kinds.QOS_CONTROLLER, SwappedController.class),
          Map.entry(Kinds.SECRET_RESOLVER, SwappedResolver.class),
          Map.entry(Kinds.SECRET_GENERATOR, SwappedGenerator.class),
          Map.entry(Kinds.ANONYMOUS, SwappedAnonymous.class),
          Map.entry(Kinds.CHECKER, SwappedChecker.class),
          Map.entry(Kinds.MASTER_DETECTOR, SwappedDetector.class),
          Map.entry(Kinds.AUTHENTICATEE, SwappedAuthenticatee.class),
          Map.entry(Kinds.MASTER_CONTENDER, SwappedContender.class));

  private SwapBundles() {}

  /** Builds so many versions of each kind that there is. */
  static Path build(int versions) throws IOException {
    Path folder = BuildFolders.create("swaps");
    for (Kind<?> kind : Kinds.all()) {
      for (int version = 0; version < versions; version++) {
        bundle(kind, version).build(SwapProof.jar(folder, kind, version));
      }
    }
    return BuildFolders.goneAtExit(folder);
  }

  private static ModuleBundle bundle(Kind<?> kind, int version) throws IOException {
    Class<? extends Module> type = TYPES.get(kind);
    if (type == null) {
      throw new IllegalStateException("No module proves swaps of the kind " + kind.name());
    }
    ModuleBundle bundle =
        ModuleBundle.of(SwapProof.bundle(kind), "1.0." + version)
            .header(
                "Import-Package",
                "org.mezzo.api,org.mezzo.resources,org.mezzo.protocol.v1,com.google.protobuf,"
                    + kind.type().getPackageName()
                    + (kind == Kinds.CONTAINER_LOGGER ? ",org.mezzo.api.isolator" : "")
                    + (kind == Kinds.SECRET_GENERATOR ? ",org.mezzo.api.authentication" : ""))
            .with(Witness.class)
            .with(Witness.VERSION, Integer.toString(version))
            .module(
                type,
                kind.type(),
                kind.name(),
                SwapProof.name(kind),
                kind == Kinds.MASTER_DETECTOR
                    ? "<property name=\"mezzo.module.flags\" value=\"master\"/>"
                    : "");
    if (kind == Kinds.ALLOCATOR) {
      bundle.with(RoundRobinAllocator.class);
      for (Class<?> inner : RoundRobinAllocator.class.getDeclaredClasses()) {
        bundle.with(inner);
      }
    }
    return bundle;
  }
}
