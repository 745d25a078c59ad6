package org.mezzo.master.transitions;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BinaryOperator;
import java.util.function.Function;
import org.mezzo.coordination.Registry;
import org.mezzo.master.state.MasterState;
import org.mezzo.master.state.Policy;
import org.mezzo.protocol.v1.WeightInfo;
import org.mezzo.protocol.v1.master.Call;
import org.mezzo.protocol.v1.quota.QuotaConfig;
import org.mezzo.protocol.v1.quota.QuotaStatus;
import org.pcollections.HashTreePMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the registry holds about weights and quotas (rule 165): each a message of the protocol under
 * a key of its own, which a version that does not know the key skips, as it skips fields that it
 * does not know.
 */
public final class PolicyRegistry {
  private static final Logger LOG = LoggerFactory.getLogger(PolicyRegistry.class);

  private PolicyRegistry() {}

  /** A part that is stored as a whole. */
  public enum Section {
    WEIGHTS(
        "policy/weights",
        "weights",
        PolicyRegistry::weights,
        (policy, other) -> new Policy(other.weights(), policy.quotas())),
    QUOTAS(
        "policy/quotas",
        "quotas",
        PolicyRegistry::quotas,
        (policy, other) -> new Policy(policy.weights(), other.quotas()));

    /** Bytes of the largest value; with its key it can be stored. */
    private static final int MAX_BYTES = Registry.MAX_VALUE_BYTES - 1_000;

    private final String key;
    private final String name;
    private final Function<Policy, MessageLite> message;
    private final BinaryOperator<Policy> replacing;

    Section(
        String key,
        String name,
        Function<Policy, MessageLite> message,
        BinaryOperator<Policy> replacing) {
      this.key = key;
      this.name = name;
      this.message = message;
      this.replacing = replacing;
    }

    String key() {
      return key;
    }

    byte[] bytes(Policy policy) {
      return message.apply(policy).toByteArray();
    }

    /** A policy with this part of another one. */
    Policy replaced(Policy policy, Policy other) {
      return replacing.apply(policy, other);
    }

    /** Why a policy cannot be stored. */
    Optional<Refusal> problem(Policy policy) {
      int bytes = message.apply(policy).getSerializedSize();
      return bytes <= MAX_BYTES
          ? Optional.empty()
          : Optional.of(
              Refusal.badRequest(
                  "The "
                      + name
                      + " of all roles would take "
                      + bytes
                      + " bytes in the registry, more than "
                      + MAX_BYTES));
    }
  }

  private static MessageLite weights(Policy policy) {
    Call.UpdateWeights.Builder all = Call.UpdateWeights.newBuilder();
    new TreeMap<>(policy.weights())
        .forEach(
            (role, weight) ->
                all.addWeightInfos(WeightInfo.newBuilder().setRole(role).setWeight(weight)));
    return all.build();
  }

  private static MessageLite quotas(Policy policy) {
    QuotaStatus.Builder all = QuotaStatus.newBuilder();
    new TreeMap<>(policy.quotas())
        .forEach((role, quota) -> all.addConfigs(Quotas.message(role, quota)));
    return all.build();
  }

  /**
   * Fills a state with what the registry knows. Weights that the state begins with count only where
   * the registry has none (rule 266).
   */
  public static MasterState recover(MasterState begin, Map<String, byte[]> registry)
      throws InvalidProtocolBufferException {
    Map<String, Double> weights = new HashMap<>();
    byte[] stored = registry.get(Section.WEIGHTS.key);
    if (stored != null) {
      for (WeightInfo info : Call.UpdateWeights.parseFrom(stored).getWeightInfosList()) {
        weights.put(info.getRole(), info.getWeight());
      }
    }
    Policy policy = begin.policy();
    if (!weights.isEmpty()) {
      if (!policy.weights().isEmpty() && !policy.weights().equals(weights)) {
        LOG.warn("--weights is ignored: the registry has weights, which calls have to change");
      }
      policy = new Policy(HashTreePMap.from(weights), policy.quotas());
    }
    byte[] quotas = registry.get(Section.QUOTAS.key);
    if (quotas != null) {
      for (QuotaConfig config : QuotaStatus.parseFrom(quotas).getConfigsList()) {
        policy = Quotas.with(policy, config.getRole(), Quotas.of(config));
      }
    }
    return begin.withPolicy(policy, policy);
  }

  /** What of a recovered policy the registry has to be told, as it does not know it yet. */
  public static List<Registry.Change> missing(Policy recovered, Map<String, byte[]> registry) {
    byte[] stored = registry.get(Section.WEIGHTS.key);
    boolean known = stored != null && stored.length > 0;
    return known || recovered.weights().isEmpty()
        ? List.of()
        : List.of(new Registry.Change(Section.WEIGHTS.key, Section.WEIGHTS.bytes(recovered)));
  }
}
