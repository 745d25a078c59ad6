package org.mezzo.testing.contract;

import java.time.Duration;
import java.util.List;
import java.util.Random;
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
    credentials
        .problem()
        .ifPresent(
            problem -> {
              throw new AssertionError("authenticate " + problem);
            });
  }
}
