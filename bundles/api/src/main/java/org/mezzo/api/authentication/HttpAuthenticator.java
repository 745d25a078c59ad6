package org.mezzo.api.authentication;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.mezzo.api.Module;
import org.osgi.annotation.versioning.ConsumerType;
import org.osgi.annotation.versioning.ProviderType;

/**
 * Tells which principal sent a request (rules 8 and 14). Asked only where a flag demands
 * authentication; there a missing, failing or late authenticator refuses the request.
 *
 * <p>Threading: {@link #authenticate} is called on several threads at a time, never on the event
 * loop, and may block. Deadline: 5 seconds. An authenticator that appears is told nothing but its
 * {@link org.mezzo.api.DaemonContext}; the old one answers until the new one has opened.
 */
@ConsumerType
public interface HttpAuthenticator extends Module {

  /** The value of {@code mezzo.module.kind} of HTTP authenticators. */
  String KIND = "http-authenticator";

  /** The scheme for {@code WWW-Authenticate}, for example {@code Basic}. */
  String scheme();

  /**
   * Looks at a request; must compare secrets in constant time and never log them. Throwing refuses
   * the request.
   */
  Result authenticate(Request request) throws Exception;

  /** The part of a request that may be looked at. There may be more in later versions. */
  @ProviderType
  interface Request {
    /** For example {@code GET}. */
    String method();

    /** Without query. */
    String path();

    /** By lower case name. */
    Map<String, List<String>> headers();

    /** What the principal is to be known in. */
    String realm();

    /** The first value of a header. */
    default Optional<String> header(String name) {
      List<String> values = headers().get(name.toLowerCase(Locale.ROOT));
      return values == null || values.isEmpty() ? Optional.empty() : Optional.of(values.get(0));
    }

    /** A request, for tests of authenticators too. */
    static Request of(String method, String path, Map<String, List<String>> headers, String realm) {
      record Plain(String method, String path, Map<String, List<String>> headers, String realm)
          implements Request {}
      return new Plain(method, path, headers, realm);
    }
  }

  /** The verdict: either a principal, or why there is none. */
  record Result(Optional<Principal> principal, String reason) {
    /** The request was sent by this principal. */
    public static Result of(Principal principal) {
      return new Result(Optional.of(principal), "");
    }

    /** The request is refused; the reason goes to the log, never to the client. */
    public static Result refused(String reason) {
      return new Result(Optional.empty(), reason);
    }
  }
}
