package org.mezzo.daemon.border;

import java.util.Optional;
import org.mezzo.api.authentication.Principal;

/** Tokens that a daemon itself has given to others (RFC 6750). Safe for any thread. */
@FunctionalInterface
public interface BearerTokens {

  /** Who has a token, whose secret is compared in constant time; empty for one of somebody else. */
  Optional<Principal> principal(String token);
}
