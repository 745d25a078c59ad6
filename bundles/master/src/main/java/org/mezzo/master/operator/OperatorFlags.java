package org.mezzo.master.operator;

import java.util.Optional;

/**
 * The flags of a master that only operators notice. Immutable.
 *
 * @param cluster {@code --cluster}, the name of the cluster
 * @param maxSubscribers {@code --max_operator_event_stream_subscribers}
 */
public record OperatorFlags(Optional<String> cluster, int maxSubscribers) {}
