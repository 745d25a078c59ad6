package org.mezzo.coordination;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.mezzo.coordination.ZooKeeperCoordinationTest.change;
import static org.mezzo.coordination.ZooKeeperCoordinationTest.get;
import static org.mezzo.coordination.ZooKeeperCoordinationTest.text;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StandaloneSessionTest {
  @TempDir Path dir;

  @Test
  void findsItsStateAgain() throws Exception {
    try (Coordination.Session session = open()) {
      Registry registry = lead(session);
      get(registry.apply(List.of(change("agents/a", "1"), change("agents/b", "2"))));
      get(registry.apply(List.of(new Registry.Change("agents/a", null), change("quotas/x", ""))));
    }

    try (Coordination.Session session = open()) {
      assertThat(text(get(lead(session).load())))
          .isEqualTo(Map.of("agents/b", "2", "quotas/x", ""));
    }
  }

  @Test
  void incompleteLastRecordIsCutOff() throws Exception {
    byte[] whole = storeTwo();
    for (int length = whole.length - 1; length > 0; length -= 7) {
      Files.write(log(), Arrays.copyOf(whole, length));
      try (Coordination.Session session = open()) {
        Registry registry = lead(session);
        assertThat(text(get(registry.load())))
            .isIn(Map.of(), Map.of("agents/a", "1"), Map.of("agents/a", "1", "agents/b", "2"));
        get(registry.apply(List.of(change("agents/c", "3"))));
      }
      try (Coordination.Session session = open()) {
        assertThat(text(get(lead(session).load()))).containsEntry("agents/c", "3");
      }
    }
  }

  @Test
  void unwrittenSpaceAtTheEndIsCutOff() throws Exception {
    storeTwo();
    Files.write(log(), new byte[20_000], StandardOpenOption.APPEND);

    try (Coordination.Session session = open()) {
      assertThat(text(get(lead(session).load())))
          .isEqualTo(Map.of("agents/a", "1", "agents/b", "2"));
    }
  }

  @Test
  void damageBeforeTheEndIsNotPassedOver() throws Exception {
    byte[] bytes = storeTwo();
    bytes[20] ^= 1;
    Files.write(log(), bytes);

    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessageContaining("damaged at byte 0")
        .hasMessageContaining("backup");
  }

  @Test
  void historyIsDropped() throws Exception {
    try (Coordination.Session session = open()) {
      Registry registry = lead(session);
      for (int i = 0; i < 30; i++) {
        get(registry.apply(List.of(new Registry.Change("agents/a", new byte[500_000 + i]))));
      }
      get(registry.apply(List.of(change("agents/b", "2"))));
    }

    assertThat(Files.size(log())).isLessThan(6 << 20);
    try (Coordination.Session session = open()) {
      Map<String, byte[]> loaded = get(lead(session).load());
      assertThat(loaded.get("agents/a")).hasSize(500_029);
      assertThat(loaded).containsKey("agents/b");
    }
  }

  @Test
  void anotherMasterCannotUseTheSameFolder() throws Exception {
    try (Coordination.Session session = open()) {
      assertThat(session).isNotNull();
      assertThatThrownBy(this::open).hasMessageContaining("in use by another master");
    }
  }

  @Test
  void whoseTermIsOverWritesNothing() throws Exception {
    try (Coordination.Session session = open()) {
      Registry first = lead(session);
      get(first.apply(List.of(change("agents/a", "1"))));
      Registry second = lead(session);
      assertThatThrownBy(() -> get(first.apply(List.of(change("agents/a", "2")))))
          .hasMessageContaining("the next term has begun");
      assertThat(text(get(second.load()))).isEqualTo(Map.of("agents/a", "1"));
      second.end("resigned");
      assertThatThrownBy(() -> get(second.apply(List.of(change("agents/a", "3")))))
          .hasMessageContaining("resigned");
    }
  }

  @Test
  void whatIsRefusedEndsNothing() throws Exception {
    try (Coordination.Session session = open()) {
      Registry registry = lead(session);
      assertThatThrownBy(
              () ->
                  get(
                      registry.apply(
                          List.of(new Registry.Change("agents/big", new byte[1_000_001])))))
          .isInstanceOf(Registry.RefusedException.class);
      get(registry.apply(List.of(change("agents/a", "1"))));
      assertThat(text(get(registry.load()))).isEqualTo(Map.of("agents/a", "1"));
    }
  }

  private byte[] storeTwo() throws Exception {
    try (Coordination.Session session = open()) {
      Registry registry = lead(session);
      get(registry.apply(List.of(change("agents/a", "1"))));
      get(registry.apply(List.of(change("agents/b", "2"))));
    }
    return Files.readAllBytes(log());
  }

  private Path log() {
    return dir.resolve("registry/log");
  }

  private Coordination.Session open() throws IOException {
    return Coordinations.create().standalone(dir, Runnable::run);
  }

  private static Registry lead(Coordination.Session session) throws Exception {
    return get(session.begin(Optional.empty())).orElseThrow();
  }
}
