package org.mezzo.api.allocator;

import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import org.osgi.annotation.versioning.ProviderType;

/**
 * What has become of an inverse offer. Immutable; more may be known in later versions.
 *
 * <p>A framework that answered is asked again in a later run, when the filter of its answer has
 * expired, so that it may change its mind.
 */
@ProviderType
public final class InverseAnswer {
  private final Data data;

  private record Data(InverseOffer offer, Outcome outcome, Optional<Instant> filterExpires) {}

  /** How an inverse offer ended. */
  public enum Outcome {
    /** The framework will give the resources back in time. */
    ACCEPTED,

    /** It will not. */
    DECLINED,

    /** It was taken back before there was an answer. */
    WITHDRAWN
  }

  private InverseAnswer(Data data) {
    this.data = data;
  }

  /** Begins with what there always is; the rest is as it is by default. */
  public static Builder builder(InverseOffer offer, Outcome outcome) {
    return new Builder(offer, outcome);
  }

  /** The one that it is about. */
  public InverseOffer offer() {
    return data.offer;
  }

  /** How it ended. */
  public Outcome outcome() {
    return data.outcome;
  }

  /** Until when the framework is not to be asked again about the agent; empty for no filter. */
  public Optional<Instant> filterExpires() {
    return data.filterExpires;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof InverseAnswer answer && data.equals(answer.data);
  }

  @Override
  public int hashCode() {
    return data.hashCode();
  }

  @Override
  public String toString() {
    return data.toString();
  }

  /** Puts it together. */
  public static final class Builder {
    private final InverseOffer offer;
    private final Outcome outcome;
    private Optional<Instant> filterExpires = Optional.empty();

    private Builder(InverseOffer offer, Outcome outcome) {
      this.offer = Objects.requireNonNull(offer);
      this.outcome = Objects.requireNonNull(outcome);
    }

    /** See {@link InverseAnswer#filterExpires}. */
    public Builder filterExpires(Optional<Instant> value) {
      filterExpires = Objects.requireNonNull(value);
      return this;
    }

    /** As it is now. */
    public InverseAnswer build() {
      return new InverseAnswer(new Data(offer, outcome, filterExpires));
    }
  }
}
