package org.mezzo.master.offers;

import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.felix.service.command.Descriptor;
import org.mezzo.api.allocator.Hindrance;
import org.mezzo.api.allocator.OfferExplanation;
import org.mezzo.daemon.border.Refused;

/**
 * The shell's way to ask why there are no offers. A plain object, which Gogo finds by the
 * properties it is registered with; whoever is in the shell may see everything.
 */
public final class OfferCommands implements Function<List<String>, Collection<String>> {
  private static final int PATIENCE_SECONDS = 30;
  private static final int AGENTS = 100;

  private final OfferExplanations explanations;

  public OfferCommands(OfferExplanations explanations) {
    this.explanations = explanations;
  }

  /** {@code mezzo:explain FRAMEWORK_ID}: of a framework with one role. */
  @Descriptor("says why a framework with one role gets no offers")
  public String explain(@Descriptor("id of the framework") String frameworkId)
      throws InterruptedException {
    return explain(frameworkId, Optional.empty(), Optional.empty());
  }

  /** {@code mezzo:explain FRAMEWORK_ID ROLE}. */
  @Descriptor("says why a framework gets no offers under a role")
  public String explain(
      @Descriptor("id of the framework") String frameworkId,
      @Descriptor("one of its roles") String role)
      throws InterruptedException {
    return explain(frameworkId, Optional.of(role), Optional.empty());
  }

  /** {@code mezzo:explain FRAMEWORK_ID ROLE AGENT_ID}. */
  @Descriptor("says why a framework gets no offer of an agent")
  public String explain(
      @Descriptor("id of the framework") String frameworkId,
      @Descriptor("one of its roles") String role,
      @Descriptor("id of the agent") String agentId)
      throws InterruptedException {
    return explain(frameworkId, Optional.of(role), Optional.of(agentId));
  }

  /**
   * What can follow these words of the shell; from the published state, on the caller's thread.
   *
   * @param words the command without its scope, and the arguments before the one that is typed
   */
  @Override
  public Collection<String> apply(List<String> words) {
    return words.get(0).equals("explain")
        ? explanations.parts(words.subList(1, words.size()))
        : List.of();
  }

  private String explain(String frameworkId, Optional<String> role, Optional<String> agentId)
      throws InterruptedException {
    try {
      return text(
          explanations
              .explain(Optional.empty(), frameworkId, role, agentId, AGENTS)
              .toCompletableFuture()
              .get(PATIENCE_SECONDS, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      Throwable cause =
          e.getCause() instanceof CompletionException ? e.getCause().getCause() : e.getCause();
      if (cause instanceof Refused) {
        throw new IllegalStateException(cause.getMessage(), e);
      }
      throw new IllegalStateException("There is no answer: " + cause, e);
    } catch (TimeoutException e) {
      throw new IllegalStateException(
          "The allocator gave no answer within %d seconds".formatted(PATIENCE_SECONDS), e);
    }
  }

  private static String text(Explained answer) {
    OfferExplanation explanation = answer.explanation();
    StringBuilder text = new StringBuilder();
    text.append(
        "%d of %d agents can be offered under role %s; %d offers are not answered%n"
            .formatted(
                explanation.everywhere().isEmpty() ? explanation.free() : 0,
                explanation.looked(),
                answer.question().role(),
                answer.outstanding()));
    explanation.everywhere().forEach(one -> append(text, "everywhere", one));
    for (OfferExplanation.OnAgent agent : explanation.agents()) {
      agent
          .hindrances()
          .forEach(one -> append(text, agent.agentId() + " (" + agent.hostname() + ")", one));
    }
    return text.toString().stripTrailing();
  }

  private static void append(StringBuilder text, String where, Hindrance hindrance) {
    text.append(where)
        .append(": ")
        .append(hindrance.reason())
        .append(", ")
        .append(hindrance.text());
    if (!hindrance.otherRoles().isEmpty()) {
      text.append(" (").append(String.join(", ", hindrance.otherRoles())).append(')');
    }
    hindrance.until().ifPresent(until -> text.append(", until ").append(until));
    text.append(System.lineSeparator());
  }
}
