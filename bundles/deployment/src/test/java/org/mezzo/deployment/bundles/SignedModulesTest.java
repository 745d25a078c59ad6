package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.deployment.Action;
import org.mezzo.deployment.Shipped;
import org.mezzo.deployment.journal.BundleStore;
import org.mezzo.deployment.modules.GoodGreeter;
import org.mezzo.deployment.signatures.Keys;

/** A host that runs signed modules only, by whatever door they come. */
@Timeout(120)
final class SignedModulesTest extends DeploymentsInFramework {
  @TempDir static Path keyDir;
  private static Keys keys;
  private static Path trust;

  @BeforeAll
  static void makeKeys() throws Exception {
    keys = new Keys(keyDir).with("author").with("stranger");
    trust = keys.trust(keyDir.resolve("trust.p12"), "PKCS12", "changeit", "author");
  }

  private Path unsigned(String version) throws Exception {
    return greeter(version, GoodGreeter.class).build(dir.resolve(version + ".jar"));
  }

  private Path signed(String version, String name, Path target) throws Exception {
    return keys.sign(unsigned(version), name, target);
  }

  private void demandSignatures() throws Exception {
    properties.put(Signatures.STORE_PROPERTY, trust.toString());
    halt();
  }

  @Test
  void whatIsNotSignedByTheRightOneGetsInByNoDoor() throws Exception {
    demandSignatures();
    reboot();
    Files.copy(unsigned("1.0.0"), modules.resolve("greeter.jar"));
    Action dropped = last(1);
    assertThat(dropped.succeeded()).isFalse();
    assertThat(dropped.outcome()).contains("it is not signed");
    await(() -> only().state().equals("failed"));
    Action asked = ask(signed("1.1.0", "stranger", dir.resolve("other.jar")));
    assertThat(asked.outcome())
        .isEqualTo("it is signed by CN=stranger, whom nobody in --module_trust_store vouches for");
    assertThat(
            deployments
                .verify(unsigned("1.2.0"), "greeter.jar")
                .toCompletableFuture()
                .get()
                .problems())
        .containsExactly(
            "it is not signed, and this host runs signed modules only; sign it with jarsigner");
    assertThat(installed()).isEmpty();
    assertThat(state.resolve("bundles")).isEmptyDirectory();
    assertThat(deployments.verdicts()).isEmpty();

    Action good = ask(signed("2.0.0", "author", dir.resolve("signed.jar")));
    assertThat(good.succeeded()).as(good.outcome()).isTrue();
    await(() -> holder().equals("2.0.0"));
    restart();
    await(() -> holder().equals("2.0.0"));
    assertThat(installed()).containsExactly("greeter 2.0.0");
  }

  @Test
  void whatRanBeforeSignaturesWereDemandedIsNotGoneBackTo() throws Exception {
    deploy();
    ask(unsigned("1.0.0"));
    await(() -> holder().equals("1.0.0"));
    demandSignatures();
    reboot();
    assertThat(installed()).isEmpty();
    await(() -> only().problem().contains("it is not signed"));
    ask(signed("2.0.0", "author", dir.resolve("signed.jar")));
    await(() -> holder().equals("2.0.0"));
    Action back = deployments.rollback("greeter", "Ada").toCompletableFuture().get();
    assertThat(back.outcome()).contains("no other version ran before");
    assertThat(holder()).isEqualTo("2.0.0");
  }

  @Test
  void whatNobodyHasSignedIsNotGoneBackToFromWhatDoesNotStart() throws Exception {
    deploy();
    ask(unsigned("1.0.0"));
    await(() -> holder().equals("1.0.0"));
    demandSignatures();
    Path broken =
        greeter("2.0.0", GoodGreeter.class)
            .header("Import-Package", "no.such.one")
            .build(dir.resolve("broken.jar"));
    keys.sign(broken, "author", modules.resolve("1.0.0.jar"));
    reboot();
    assertThat(running()).isEmpty();
    assertThat(installed()).containsExactly("greeter 2.0.0");
  }

  @Test
  void whatCameWithTheDistributionIsKnownByItsDigest() throws Exception {
    Path jar = unsigned("1.0.0");
    Path list =
        Files.writeString(
            dir.resolve("shipped"), BundleStore.digest(jar) + "  greeter-1.0.0.jar\n");
    properties.put(Signatures.SHIPPED_PROPERTY, list.toString());
    demandSignatures();
    Files.copy(jar, modules.resolve("renamed.jar"));
    reboot();
    await(() -> holder().equals("1.0.0"));
    assertThat(ask(unsigned("1.1.0")).succeeded()).isFalse();
    assertThat(running()).isEqualTo(List.of("greeter 1.0.0"));
    assertThat(deployments.shipped())
        .containsExactly(new Shipped("greeter-1.0.0.jar", BundleStore.digest(jar)));
    assertThat(only().shipped()).isTrue();
    assertThat(only().digest()).isEqualTo(BundleStore.digest(jar));
  }

  @Test
  void whereItIsNotKnownWhomToTrustNothingRuns() throws Exception {
    properties.put(Signatures.STORE_PROPERTY, dir.resolve("absent.p12").toString());
    halt();
    Files.copy(unsigned("1.0.0"), modules.resolve("greeter.jar"));
    assertThatThrownBy(this::reboot)
        .hasMessageContaining("Whose modules may run is not known: --module_trust_store: ")
        .hasMessageContaining("absent.p12 is not there");
    assertThat(installed()).isEmpty();
    // The next one finds the state where it was, and not in use.
    properties.put(Signatures.STORE_PROPERTY, "");
    restart();
    await(() -> holder().equals("1.0.0"));
  }
}
