package org.mezzo.master.endpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.Authorizer;
import org.mezzo.master.testing.TestAgent;
import org.mezzo.master.testing.TestCluster;
import org.mezzo.master.testing.TestScheduler;
import org.mezzo.modules.Kinds;
import org.mezzo.protocol.v1.Attribute;
import org.mezzo.protocol.v1.FrameworkInfo;
import org.mezzo.protocol.v1.Value;
import org.mezzo.protocol.v1.scheduler.AttributeConstraint;
import org.mezzo.protocol.v1.scheduler.Event;
import org.mezzo.protocol.v1.scheduler.OfferConstraints;

class OfferConstraintsEndpointTest {
  @TempDir Path workDir;

  private static FrameworkInfo framework(String role, String user) {
    return FrameworkInfo.newBuilder()
        .setUser(user)
        .setName("constrained")
        .addRoles(role)
        .addCapabilities(
            FrameworkInfo.Capability.newBuilder().setType(FrameworkInfo.Capability.Type.MULTI_ROLE))
        .build();
  }

  /** Nothing but agents with an attribute 'rack'. */
  private static OfferConstraints racked(String role) {
    OfferConstraints.Builder constraints = OfferConstraints.newBuilder();
    AttributeConstraint.Builder constraint = AttributeConstraint.newBuilder();
    constraint.getSelectorBuilder().setAttributeName("rack");
    constraint.getPredicateBuilder().setExists(AttributeConstraint.Predicate.Exists.newBuilder());
    return constraints
        .putRoleConstraints(
            role,
            OfferConstraints.RoleConstraints.newBuilder()
                .addGroups(
                    OfferConstraints.RoleConstraints.Group.newBuilder()
                        .addAttributeConstraints(constraint))
                .build())
        .build();
  }

  private static String id(TestScheduler scheduler) throws Exception {
    return scheduler.await(Event.Type.SUBSCRIBED).getSubscribed().getFrameworkId().getValue();
  }

  @Test
  void showsWhichAgentsAreExcludedForWhom() throws Exception {
    Authorizer authorizer =
        (subject, actions) ->
            (action, object) ->
                action != Action.VIEW_FRAMEWORK
                    || !object.frameworkInfo().orElseThrow().getUser().equals("secret");
    try (TestCluster cluster = new TestCluster(workDir, "acls={}");
        TestScheduler first = TestScheduler.json(cluster.address());
        TestScheduler second = TestScheduler.json(cluster.address());
        TestScheduler hidden = TestScheduler.json(cluster.address())) {
      cluster.modules.register(Kinds.AUTHORIZER, "local", authorizer);
      cluster.modules.awaitHolders();
      TestAgent plain = cluster.agent(5051, "cpus:1;mem:100");
      TestAgent racked =
          new TestAgent(5052, "cpus:1;mem:100")
              .described(
                  info ->
                      info.addAttributes(
                          Attribute.newBuilder()
                              .setName("rack")
                              .setType(Value.Type.TEXT)
                              .setText(Value.Text.newBuilder().setValue("r1"))))
              .connect(cluster.links)
              .register();
      String one = id(first.subscribe(framework("eng", "ann"), racked("eng")));
      String other = id(second.subscribe(framework("ops", "ann")));
      String secret = id(hidden.subscribe(framework("eng", "secret"), racked("eng")));

      HttpResponse<String> answer =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(
                          URI.create(
                              "http://127.0.0.1:"
                                  + cluster.address().getPort()
                                  + "/master/allocator/offer_constraints_debug"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(answer.statusCode()).isEqualTo(200);
      assertThat(answer.body())
          .contains(
              "\""
                  + one
                  + "\":{\"roles\":{\"eng\":{\"suppressed\":false,"
                  + "\"excluded_by_attribute_constraints\":[\""
                  + plain.id
                  + "\"]}}}")
          .contains(
              "\""
                  + other
                  + "\":{\"roles\":{\"ops\":{\"suppressed\":false,"
                  + "\"excluded_by_attribute_constraints\":[]}}}")
          .doesNotContain(secret)
          .doesNotContain("\"" + racked.id + "\"");
    }
  }
}
