package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authentication.HttpAuthenticator;
import org.mezzo.api.authentication.HttpAuthenticator.Request;
import org.mezzo.api.authentication.HttpAuthenticator.Result;

/**
 * The rules of {@link HttpAuthenticator}: who has credentials is known, everybody else is refused,
 * and nothing that a client can send makes it throw, which would cost the cluster its
 * authenticator. {@link ModuleContract} says how to extend it.
 */
public abstract class HttpAuthenticatorContract extends ParallelContract<HttpAuthenticator> {
  private static final String REALM = "mezzo-kit";
  private static final int GARBLED = 10;
  private static final int LONG = 100_000;

  /** For subclasses. */
  protected HttpAuthenticatorContract() {}

  /** Values of the header {@code authorization} that are accepted, by the principal they prove. */
  protected abstract Map<String, String> accepted();

  /**
   * Values of the header {@code authorization} that look as they should and are refused, for
   * example of a user with the password of another one; not empty.
   */
  protected abstract List<String> refused();

  @Override
  Role role() {
    return Role.MASTER;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(5);
  }

  @Override
  int callers() {
    return 16;
  }

  @Override
  void use(Instance<HttpAuthenticator> authenticator, Random random) {
    accepted()
        .forEach(
            (principal, header) ->
                check(
                    ask(authenticator, List.of(header)).equals(Optional.of(principal)),
                    "'" + principal + "' is not accepted"));
    refused().forEach(header -> refused(authenticator, header));
  }

  /** What is absent, of another scheme or not all there proves nobody. */
  @Test
  public void refusesWhatProvesNothing() throws Exception {
    Instance<HttpAuthenticator> authenticator = opened();
    String scheme = scheme(authenticator);
    Request none = Request.of("GET", "/state", Map.of(), REALM);
    check(
        answer(authenticator, none, "").principal().isEmpty(),
        "a request without credentials is accepted");
    check(ask(authenticator, List.of()).isEmpty(), "a header without a value is accepted");
    for (String header :
        List.of(
            "", " ", scheme, scheme + " ", scheme + " !", scheme + "  :", "Unheard-Of abc", "\0")) {
      refused(authenticator, header);
    }
    for (String header : accepted().values()) {
      int blank = Math.max(header.indexOf(' '), 0);
      refused(authenticator, "Unheard-Of" + header.substring(blank));
      refused(authenticator, header.substring(0, blank + (header.length() - blank) / 2));
      refused(authenticator, header.substring(0, blank + 1) + "x".repeat(LONG));
    }
    authenticator.close();
  }

  /** Whatever a client sends gets an answer, and never makes somebody else of who he is. */
  @Test
  public void takesNobodyForSomebodyElse() throws Exception {
    Instance<HttpAuthenticator> authenticator = opened();
    Random random = random();
    List<String> known = new ArrayList<>(accepted().values());
    known.addAll(refused());
    for (Map.Entry<String, String> each : accepted().entrySet()) {
      for (int i = 0; i < GARBLED; i++) {
        Optional<String> taken = ask(authenticator, List.of(garbled(each.getValue(), random)));
        check(
            taken.isEmpty() || taken.get().equals(each.getKey()),
            "garbled credentials of '" + each.getKey() + "' are taken for " + taken);
      }
      // Whichever of several headers counts, a request has one principal at the most.
      ask(authenticator, known);
    }
    authenticator.close();
  }

  /** The scheme is a token, for {@code WWW-Authenticate}, and stays the same. */
  @Test
  public void hasAScheme() throws Exception {
    Instance<HttpAuthenticator> authenticator = opened();
    String scheme = scheme(authenticator);
    check(
        scheme.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+"),
        "'" + scheme + "' cannot stand in WWW-Authenticate");
    use(authenticator, random());
    check(scheme.equals(scheme(authenticator)), "the scheme has changed");
    authenticator.close();
  }

  private static String scheme(Instance<HttpAuthenticator> authenticator) {
    return authenticator.ask("scheme", HttpAuthenticator::scheme);
  }

  private static String garbled(String header, Random random) {
    StringBuilder text = new StringBuilder(header);
    for (int i = 1 + random.nextInt(3); i > 0; i--) {
      int at = random.nextInt(text.length());
      switch (random.nextInt(3)) {
        case 0 -> text.setCharAt(at, (char) random.nextInt(0x180));
        case 1 -> text.insert(at, (char) random.nextInt(0x180));
        default -> text.deleteCharAt(at);
      }
      if (text.length() == 0) {
        break;
      }
    }
    return text.toString();
  }

  private void refused(Instance<HttpAuthenticator> authenticator, String header) {
    Optional<String> taken = ask(authenticator, List.of(header));
    check(taken.isEmpty(), "'" + shortened(header) + "' is taken for " + taken);
  }

  private static String shortened(String header) {
    return header.length() < 200 ? header : header.substring(0, 200) + "...";
  }

  private Optional<String> ask(Instance<HttpAuthenticator> authenticator, List<String> values) {
    Request request =
        Request.of("POST", "/api/v1/scheduler", Map.of("authorization", values), REALM);
    String secret = values.isEmpty() ? "" : values.get(0);
    return answer(authenticator, request, secret)
        .principal()
        .map(
            principal -> {
              check(
                  principal.value().filter(name -> !name.isEmpty()).isPresent(),
                  "a principal without a name is given, who is refused wherever one counts");
              return principal.value().get();
            });
  }

  private static Result answer(
      Instance<HttpAuthenticator> authenticator, Request request, String header) {
    Result result = authenticator.ask("authenticate", it -> it.authenticate(request));
    check(result.principal() != null, "authenticate gave a result whose principal is null");
    String secret = header.substring(header.indexOf(' ') + 1);
    check(
        result.reason() != null && (secret.length() < 8 || !result.reason().contains(secret)),
        "the reason goes to the log and has the credentials in it: " + result.reason());
    return result;
  }
}
