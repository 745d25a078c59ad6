package org.mezzo.master.reads;

import java.util.Optional;
import org.mezzo.master.state.MasterState;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * Everything of a cluster that answers of readers are made from, at one time.
 *
 * @param number grows with each that differs; two with the same number are the same
 * @param leader who leads, as far as this master knew then
 */
public record Root(long number, MasterState state, Optional<MasterInfo> leader) {}
