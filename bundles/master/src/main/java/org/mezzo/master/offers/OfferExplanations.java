package org.mezzo.master.offers;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.api.allocator.OfferQuestion;
import org.mezzo.api.authentication.Principal;
import org.mezzo.api.authorization.Action;
import org.mezzo.api.authorization.AuthorizationObject;
import org.mezzo.daemon.border.Authorization;
import org.mezzo.daemon.border.ObjectApprovers;
import org.mezzo.daemon.border.Permission;
import org.mezzo.daemon.border.Refused;
import org.mezzo.master.allocation.Allocation;
import org.mezzo.master.election.Leadership;
import org.mezzo.master.state.Agent;
import org.mezzo.master.state.Framework;
import org.mezzo.master.state.MasterState;
import org.mezzo.modules.ModuleException;

/**
 * Answers why a framework is offered nothing, for whoever may see framework and role. The allocator
 * is asked through its lease, so that one that hangs holds neither the event loop nor a reader.
 * Safe for any thread.
 */
public final class OfferExplanations {
  private static final List<Action> ACTIONS = List.of(Action.VIEW_FRAMEWORK, Action.VIEW_ROLE);

  private final Leadership leadership;
  private final Authorization authorization;

  public OfferExplanations(Leadership leadership, Authorization authorization) {
    this.leadership = leadership;
    this.authorization = authorization;
  }

  /** The leave that it needs. */
  public static <R> Permission<R> permission() {
    return Permission.perObject(Action.VIEW_FRAMEWORK, Action.VIEW_ROLE);
  }

  /**
   * Asks.
   *
   * @param role empty for the only one that the framework has
   * @return completes on any thread; fails with a {@link CompletionException} around {@link
   *     Refused}: 400 when the framework has not one role only, 403, 404 when it is not known, 501
   *     when the allocator does not explain itself, 503 when nobody leads or it gave no answer
   */
  public CompletionStage<Explained> explain(
      Optional<Principal> principal,
      String frameworkId,
      Optional<String> role,
      Optional<String> agentId,
      int mostAgents) {
    return authorization
        .decide(
            principal,
            ACTIONS,
            approvers -> {
              String meant = role(approvers, frameworkId, role);
              return OfferQuestion.builder(frameworkId, meant)
                  .agentId(agentId)
                  .mostAgents(mostAgents)
                  .build();
            })
        .thenCompose(this::ask)
        .thenCompose(answer -> visible(principal, answer));
  }

  /**
   * What a question that begins so can go on with: all frameworks, then roles of that framework,
   * then all agents. Nobody's leave is asked.
   *
   * @return empty where nothing can follow, and when this master does not lead
   */
  Collection<String> parts(List<String> begun) {
    MasterState state = leadership.state().orElse(null);
    if (state == null) {
      return List.of();
    }
    return switch (begun.size()) {
      case 0 -> state.frameworks().keySet();
      case 1 ->
          Optional.ofNullable(state.frameworks().get(begun.get(0)))
              .map(framework -> List.copyOf(framework.subscription().roles()))
              .orElse(List.of());
      case 2 -> state.agents().keySet();
      default -> List.of();
    };
  }

  /** The role that is meant, when the caller may see it and the framework. */
  private String role(ObjectApprovers approvers, String frameworkId, Optional<String> role)
      throws Refused {
    MasterState state = leadership.state().orElseThrow(() -> new Refused(503, "No leader elected"));
    Framework framework = state.frameworks().get(frameworkId);
    if (framework == null) {
      throw new Refused(
          404, "No framework has the id '" + frameworkId + "'; /frameworks shows which there are");
    }
    AuthorizationObject object =
        AuthorizationObject.builder()
            .value(framework.info().getUser())
            .frameworkInfo(framework.info())
            .build();
    if (!approvers.approved(Action.VIEW_FRAMEWORK, object)) {
      throw forbidden();
    }
    if (role.isPresent()) {
      if (!approvers.approved(Action.VIEW_ROLE, role.get())) {
        throw forbidden();
      }
      return role.get();
    }
    List<String> visible =
        framework.subscription().roles().stream()
            .filter(each -> approvers.approved(Action.VIEW_ROLE, each))
            .sorted()
            .toList();
    if (visible.isEmpty() && !framework.subscription().roles().isEmpty()) {
      throw forbidden();
    }
    if (visible.size() != 1) {
      throw new Refused(
          400,
          visible.isEmpty()
              ? "The framework is subscribed to no role: nothing is offered to it"
              : "Say by 'role' which one is meant: the framework has "
                  + String.join(", ", visible));
    }
    return visible.get(0);
  }

  private static Refused forbidden() {
    return new Refused(403, "403 Forbidden.");
  }

  private CompletionStage<Explained> ask(OfferQuestion question) {
    CompletableFuture<Explained> explained = new CompletableFuture<>();
    leadership.withTerm(
        term ->
            term.allocation()
                .explain(question)
                .whenComplete(
                    (answer, failure) -> {
                      if (failure != null) {
                        explained.completeExceptionally(new CompletionException(refused(failure)));
                      } else if (answer.isEmpty()) {
                        explained.completeExceptionally(
                            new CompletionException(
                                new Refused(501, "This allocator does not explain itself")));
                      } else {
                        MasterState state = term.state().orElse(null);
                        explained.complete(
                            state == null
                                ? new Explained(question, 0, answer.get())
                                : new Explained(
                                    question,
                                    state.ledger().offersTo(question.frameworkId()).size(),
                                    awaited(answer.get(), state)));
                      }
                    }),
        () ->
            explained.completeExceptionally(
                new CompletionException(new Refused(503, "No leader elected"))));
    return explained;
  }

  /** What an agent waits for only the master knows; to allocators it is inactive. */
  private static OfferExplanation awaited(OfferExplanation all, MasterState state) {
    return with(
        all,
        all.everywhere(),
        agent ->
            agent.hindrances().stream().map(one -> awaited(one, state, agent.agentId())).toList());
  }

  private static Hindrance awaited(Hindrance one, MasterState state, String agentId) {
    return state
        .agent(agentId)
        .flatMap(Agent::awaits)
        .filter(what -> one.reason() == Hindrance.Reason.INACTIVE_AGENT)
        .map(what -> Hindrance.builder(one.reason(), one.text() + ": " + what).build())
        .orElse(one);
  }

  private static Refused refused(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof Allocation.BusyException
        ? new Refused(503, cause.getMessage())
        : new Refused(
            503,
            ModuleException.isDeparture(failure)
                ? "The allocator went before it answered; ask again"
                : "The allocator gave no answer: " + cause.getMessage());
  }

  /** Other roles are named to those only who may see them. */
  private CompletionStage<Explained> visible(Optional<Principal> principal, Explained all) {
    if (!authorization.demanded()) {
      return CompletableFuture.completedStage(all);
    }
    return authorization.decide(
        principal,
        List.of(Action.VIEW_ROLE),
        approvers ->
            new Explained(
                all.question(), all.outstanding(), visible(all.explanation(), approvers)));
  }

  private static OfferExplanation visible(OfferExplanation all, ObjectApprovers approvers) {
    return with(
        all, visible(all.everywhere(), approvers), agent -> visible(agent.hindrances(), approvers));
  }

  /** The same with other hindrances. */
  private static OfferExplanation with(
      OfferExplanation all,
      List<Hindrance> everywhere,
      Function<OfferExplanation.OnAgent, List<Hindrance>> onAgent) {
    return OfferExplanation.builder()
        .everywhere(everywhere)
        .agents(
            all.agents().stream()
                .map(
                    agent ->
                        new OfferExplanation.OnAgent(
                            agent.agentId(), agent.hostname(), onAgent.apply(agent)))
                .toList())
        .looked(all.looked())
        .free(all.free())
        .counts(all.counts())
        .build();
  }

  private static List<Hindrance> visible(List<Hindrance> all, ObjectApprovers approvers) {
    return all.stream()
        .map(
            one ->
                Hindrance.builder(one.reason(), one.text())
                    .until(one.until())
                    .otherRoles(
                        one.otherRoles().stream()
                            .filter(role -> approvers.approved(Action.VIEW_ROLE, role))
                            .toList())
                    .build())
        .toList();
  }
}
