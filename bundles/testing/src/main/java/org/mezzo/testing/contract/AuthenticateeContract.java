package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.mezzo.api.DaemonContext.Role;
import org.mezzo.api.authenticatee.Authenticatee;
import org.mezzo.api.authenticatee.Credentials;
import org.mezzo.protocol.v1.Address;
import org.mezzo.protocol.v1.MasterInfo;

/**
 * The rules of {@link Authenticatee}: whatever master there is, what it answers can be sent, and
 * nothing of its values is in its text form. {@link ModuleContract} says how to extend it.
 */
public abstract class AuthenticateeContract extends ModuleContract<Authenticatee> {
  private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");
  private static final Set<String> RESERVED =
      Set.of(
          "connection",
          "content-encoding",
          "content-length",
          "content-type",
          "expect",
          "host",
          "http2-settings",
          "keep-alive",
          "proxy-connection",
          "te",
          "trailer",
          "transfer-encoding",
          "upgrade");

  /** For subclasses. */
  protected AuthenticateeContract() {}

  /**
   * A master to which the module has something to show, at that port; where your module knows hosts
   * it is one of those.
   */
  protected MasterInfo master(int port) {
    return plain("master-" + port + ".example.org", port).build();
  }

  private static MasterInfo.Builder plain(String host, int port) {
    return MasterInfo.newBuilder().setId("m-" + port).setIp(0).setPort(port).setHostname(host);
  }

  @Override
  Role role() {
    return Role.AGENT;
  }

  @Override
  Duration deadline() {
    return Duration.ofSeconds(10);
  }

  @Override
  void use(Instance<Authenticatee> authenticatee, Random random) {
    for (int i = 0; i < 3; i++) {
      MasterInfo master = master(1 + random.nextInt(65_535));
      checkFields(authenticatee.ask("authenticate", it -> it.authenticate(master)));
    }
  }

  /** Masters as detectors may describe them are answered, or refused by a checked exception. */
  @Test
  public void answersWhateverMasterThereIs() throws Exception {
    Instance<Authenticatee> authenticatee = opened();
    for (MasterInfo master :
        List.of(
            plain("localhost", 5050).setId("").build(),
            plain("", 1).setAddress(Address.newBuilder().setIp("10.0.0.1").setPort(5050)).build(),
            plain("m", 65_535)
                .setAddress(Address.newBuilder().setIp("2001:db8::1").setPort(5050))
                .build(),
            plain("x".repeat(253), 5050)
                .setAddress(Address.newBuilder().setHostname("y".repeat(253)).setPort(1))
                .build(),
            plain("m", 5050).setPid("master@m:5050").setVersion("v".repeat(10_000)).build())) {
      authenticatee
          .attempt("authenticate", it -> it.authenticate(master))
          .ifPresent(AuthenticateeContract::checkFields);
    }
    use(authenticatee, random());
    authenticatee.close();
  }

  private static void checkFields(Credentials credentials) {
    Map<String, String> fields = credentials.fields();
    check(
        fields.size() <= Credentials.MOST_FIELDS,
        "authenticate gave "
            + fields.size()
            + " header fields; there may be "
            + Credentials.MOST_FIELDS);
    long bytes = 0;
    Set<String> names = new TreeSet<>();
    for (Map.Entry<String, String> field : fields.entrySet()) {
      String name = field.getKey();
      String value = field.getValue();
      check(
          name != null && TOKEN.matcher(name).matches(),
          "authenticate gave a header field with the name '"
              + name
              + "', which is none in HTTP (RFC 9110, 5.6.2)");
      check(
          !RESERVED.contains(name.toLowerCase(Locale.ROOT)),
          "authenticate gave the header field '" + name + "', which is HTTP's own");
      check(
          names.add(name.toLowerCase(Locale.ROOT)),
          "authenticate gave the header field '" + name + "' twice");
      check(
          value != null
              && !value.isEmpty()
              && value.strip().equals(value)
              && value.chars().allMatch(each -> each >= ' ' && each <= '~'),
          "authenticate gave the header field '"
              + name
              + "' a value that is empty or has other than visible characters of ASCII, and blanks"
              + " between them");
      bytes += name.length() + value.length();
    }
    check(
        bytes <= Credentials.MOST_BYTES,
        "authenticate gave header fields of "
            + bytes
            + " bytes; there may be "
            + Credentials.MOST_BYTES);
  }
}
