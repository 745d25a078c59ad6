package org.mezzo.deployment.bundles;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.mezzo.deployment.folder.ModuleJar;
import org.osgi.framework.Bundle;
import org.osgi.framework.Version;

class ExitWitnessTest {
  private static final Bundle KEPT = bundle("kept");
  private static final Bundle HEIR = bundle("heir");
  private static final ModuleJar OLD = jar("aa");
  private static final ModuleJar NEW = jar("bb");
  private static final Map<Bundle, ModuleJar> BOTH = Map.of(KEPT, OLD, HEIR, NEW);

  private static Bundle bundle(String name) {
    return (Bundle)
        Proxy.newProxyInstance(
            ExitWitnessTest.class.getClassLoader(),
            new Class<?>[] {Bundle.class},
            (proxy, method, arguments) ->
                switch (method.getName()) {
                  case "equals" -> proxy == arguments[0];
                  case "hashCode" -> name.hashCode();
                  default -> name;
                });
  }

  private static ModuleJar jar(String digest) {
    return new ModuleJar(
        Path.of(digest), "greeter", Version.emptyVersion, 0, digest, Set.of(), Set.of(), List.of());
  }

  @Test
  void whatIsKeptToGoBackToIsNotSuspected() {
    assertThat(ExitWitness.suspects(BOTH, Set.of(), Set.of(HEIR))).containsExactly(NEW);
  }

  @Test
  void whatIsBeingOpenedIsSuspectedBeforeWhatServes() {
    assertThat(ExitWitness.suspects(BOTH, Set.of("bb"), Set.of(KEPT))).containsExactly(NEW);
  }

  @Test
  void whereNothingTellsThemApartAllAreSuspected() {
    assertThat(ExitWitness.suspects(BOTH, Set.of(), Set.of())).containsExactlyInAnyOrder(OLD, NEW);
  }
}
