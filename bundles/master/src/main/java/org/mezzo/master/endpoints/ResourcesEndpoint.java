package org.mezzo.master.endpoints;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import org.mezzo.api.authentication.Principal;
import org.mezzo.daemon.border.Access;
import org.mezzo.daemon.border.ApiEndpoint;
import org.mezzo.daemon.border.EndpointDeclaration;
import org.mezzo.daemon.border.Help;
import org.mezzo.daemon.border.Refused;
import org.mezzo.daemon.endpoints.Form;
import org.mezzo.master.operator.ResourceChanges;
import org.mezzo.master.reads.LeaderGate;
import org.mezzo.protocol.json.Json;
import org.mezzo.protocol.json.JsonFormatException;
import org.mezzo.protocol.v1.Offer;
import org.mezzo.protocol.v1.Resource;

/**
 * {@code /reserve}, {@code /unreserve}, {@code /create-volumes}, {@code /destroy-volumes}: change
 * reservations and volumes of an agent by form (rules 268 to 271).
 */
final class ResourcesEndpoint extends FormEndpoint {
  private final ResourceChanges changes;
  private final Offer.Operation.Type type;
  private final String field;
  private final BiConsumer<Offer.Operation.Builder, List<Resource>> setter;

  private ResourcesEndpoint(
      ResourceChanges changes,
      LeaderGate gate,
      Executor answers,
      String path,
      Help help,
      Offer.Operation.Type type,
      String field,
      BiConsumer<Offer.Operation.Builder, List<Resource>> setter) {
    super(
        new EndpointDeclaration(
            path, Set.of("POST"), Access.READWRITE, ResourceChanges.permission(type), help),
        gate,
        answers,
        202);
    this.changes = changes;
    this.type = type;
    this.field = field;
    this.setter = setter;
  }

  /**
   * All of them.
   *
   * @param answers where they are answered
   */
  static List<ApiEndpoint> all(ResourceChanges changes, LeaderGate gate, Executor answers) {
    return List.of(
        new ResourcesEndpoint(
            changes,
            gate,
            answers,
            "/reserve",
            help("Reserves resources of an agent.", "resources"),
            Offer.Operation.Type.RESERVE,
            "resources",
            (operation, all) -> operation.getReserveBuilder().addAllResources(all)),
        new ResourcesEndpoint(
            changes,
            gate,
            answers,
            "/unreserve",
            help("Takes reservations from resources of an agent.", "resources"),
            Offer.Operation.Type.UNRESERVE,
            "resources",
            (operation, all) -> operation.getUnreserveBuilder().addAllResources(all)),
        new ResourcesEndpoint(
            changes,
            gate,
            answers,
            "/create-volumes",
            help("Makes persistent volumes of reserved disk of an agent.", "volumes"),
            Offer.Operation.Type.CREATE,
            "volumes",
            (operation, all) -> operation.getCreateBuilder().addAllVolumes(all)),
        new ResourcesEndpoint(
            changes,
            gate,
            answers,
            "/destroy-volumes",
            help("Deletes persistent volumes of an agent with all that they hold.", "volumes"),
            Offer.Operation.Type.DESTROY,
            "volumes",
            (operation, all) -> operation.getDestroyBuilder().addAllVolumes(all)));
  }

  private static Help help(String what, String field) {
    return Help.of(
        what,
        "Takes a form in the body with the id of the agent, 'slaveId=...', and the "
            + field
            + " in JSON, '"
            + field
            + "=[...]', and answers with 202 when the agent has been told. Offers that hold a part"
            + " of them are rescinded; where tasks have it, the answer is 409.");
  }

  @Override
  CompletionStage<Void> change(Form form, Optional<Principal> principal) throws Refused {
    String agentId = form.required("slaveId");
    Offer.Operation.Builder operation = Offer.Operation.newBuilder().setType(type);
    setter.accept(operation, resources(form.required(field)));
    if (type == Offer.Operation.Type.RESERVE) {
      Optional<String> source = form.optional("source");
      if (source.isPresent()) {
        operation.getReserveBuilder().addAllSource(resources(source.get()));
      }
    }
    return changes.make(principal, agentId, operation.build(), unread());
  }

  private List<Resource> resources(String json) throws Refused {
    try {
      return Json.decodeList(json.getBytes(StandardCharsets.UTF_8), Resource.getDefaultInstance());
    } catch (JsonFormatException e) {
      throw new Refused(400, unread() + e.getMessage());
    }
  }

  /** The words of old, which are not the same for all. */
  private String unread() {
    String parsing = type == Offer.Operation.Type.RESERVE ? "Error parsing" : "Error in parsing";
    return parsing + " '" + field + "' query parameter in the request body: ";
  }
}
