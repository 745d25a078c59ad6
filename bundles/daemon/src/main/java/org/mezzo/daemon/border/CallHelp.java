package org.mezzo.daemon.border;

import java.util.Optional;

/**
 * What {@code /help} tells of one call of an API. Immutable.
 *
 * @param type as clients write it
 * @param message the field that the call has to carry; empty when it needs none
 * @param permission whose leave it needs
 * @param summary what it does, in a sentence
 */
public record CallHelp(
    String type, Optional<String> message, Permission<?> permission, String summary) {}
