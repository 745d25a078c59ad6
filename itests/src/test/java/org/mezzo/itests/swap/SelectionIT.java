package org.mezzo.itests.swap;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertTrue;
import static org.ops4j.pax.exam.CoreOptions.frameworkProperty;
import static org.ops4j.pax.exam.CoreOptions.junitBundles;
import static org.ops4j.pax.exam.CoreOptions.options;

import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.inject.Inject;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Deployments;
import org.mezzo.fixtures.Await;
import org.mezzo.itests.container.HostContainer;
import org.mezzo.itests.osgi.ClusterInside;
import org.mezzo.itests.osgi.ShippedModules;
import org.mezzo.itests.swap.modules.KnowingAuthenticator;
import org.mezzo.modules.Kinds;
import org.mezzo.modules.LeaseDescription;
import org.mezzo.modules.ModuleLeases;
import org.ops4j.pax.exam.Configuration;
import org.ops4j.pax.exam.Option;
import org.ops4j.pax.exam.junit.PaxExam;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * The configuration of a running master selects other authenticators, again and again, under
 * hundreds of requests a second: who is known gets in every time, and who is not never does.
 */
@RunWith(PaxExam.class)
@ExamReactorStrategy(PerClass.class)
public class SelectionIT {
  private static final int ROUNDS = Integer.getInteger("mezzo.selections", 10);
  private static final String FOLDER = "mezzo.test.jars";
  private static final String CALL = "{\"type\": \"GET_HEALTH\"}";

  @Inject private ModuleLeases leases;
  @Inject private Deployments deployments;
  @Inject private ConfigurationAdmin configurations;
  @Inject private BundleContext context;

  private ClusterInside cluster;

  /** Runs outside of the framework. */
  @Configuration
  public Option[] configuration() throws Exception {
    return options(
        junitBundles(),
        ClusterInside.json(),
        frameworkProperty(HostContainer.MODULES).value(ShippedModules.copy().toString()),
        frameworkProperty(FOLDER).value(SelectionBundles.build().toString()));
  }

  @Test
  public void whoIsKnownGetsInThroughEverySelectionAndNobodyElse() throws Exception {
    Path folder = Path.of(context.getProperty(FOLDER));
    for (String name : SelectionBundles.NAMES) {
      Action action =
          deployments
              .install(SelectionBundles.jar(folder, name))
              .toCompletableFuture()
              .get(60, TimeUnit.SECONDS);
      assertTrue(action.outcome(), action.succeeded());
    }
    cluster =
        ClusterInside.start(
            configurations,
            leases,
            Map.of("authenticate_http_readwrite", "true", "http_authenticators", "one"),
            Map.of());
    try {
      select();
    } finally {
      cluster.close();
      for (String name : SelectionBundles.NAMES) {
        deployments
            .uninstall(SelectionBundles.bundle(name))
            .toCompletableFuture()
            .get(60, TimeUnit.SECONDS);
      }
    }
  }

  private void select() throws Exception {
    URI api = cluster.master().resolve("/api/v1");
    HttpRequest.Builder call =
        HttpRequest.newBuilder(api)
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(CALL));
    HttpRequest known = call.copy().header("Authorization", KnowingAuthenticator.SECRET).build();
    HttpRequest stranger = call.copy().header("Authorization", "Basic bm9ib2R5Og==").build();
    try (Requests friends = new Requests(known, 200);
        Requests strangers = new Requests(stranger, 401)) {
      friends.operations.awaitMore(100);
      strangers.operations.awaitMore(100);
      for (int round = 0; round < ROUNDS; round++) {
        for (String names : List.of("two", "one,two", "one")) {
          cluster.select(Kinds.HTTP_AUTHENTICATOR.flags().get(Role.MASTER), names);
          for (String name : names.split(",")) {
            awaitCalls(name);
          }
          Await.until(() -> held().equals(List.of(names.split(","))));
          friends.operations.awaitMore(100);
          strangers.operations.awaitMore(100);
        }
      }
      assertEquals(List.of(), friends.operations.failures());
      assertEquals(List.of(), strangers.operations.failures());
    }
  }

  private List<String> held() {
    return leases.leases().stream()
        .filter(lease -> lease.daemon().equals("master"))
        .filter(lease -> lease.kind().equals(Kinds.HTTP_AUTHENTICATOR.name()))
        .filter(lease -> lease.holder().isPresent())
        .map(LeaseDescription::name)
        .sorted()
        .toList();
  }

  private void awaitCalls(String name) throws Exception {
    String metric = "modules/" + Kinds.HTTP_AUTHENTICATOR.name() + "/" + name + "/calls";
    double before = cluster.metric(metric);
    Await.until(name + " is asked", () -> cluster.metric(metric) >= before + 20);
  }
}
