package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NativeLibraryTest {
  @Test
  void nothingIsLoadedAndTheVersionIsThatOfMesos() {
    MesosNativeLibrary.load();
    MesosNativeLibrary.load("/no/such/libmesos.so");

    MesosNativeLibrary.Version version = MesosNativeLibrary.version();
    assertThat(version).isEqualTo(new MesosNativeLibrary.Version(1, 11));
    assertThat(version).hasToString(MesosNativeLibrary.VERSION);
    assertThat(version.after(new MesosNativeLibrary.Version(0, 22, 1))).isTrue();
    assertThat(version.before(new MesosNativeLibrary.Version(1, 11, 1))).isTrue();
    assertThat(version.equals(new MesosNativeLibrary.Version(2))).isFalse();
    assertThatThrownBy(() -> new MesosNativeLibrary.Version(1, -1))
        .hasMessage("Minor version must not be negative");
  }

  @Test
  void aLogCannotBeMadeAndSaysWhatToUse() {
    assertThatThrownBy(() -> new Log(1, "/log", Set.of()))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("ZooKeeperState");
    assertThatThrownBy(() -> new Log(1, "/log", "h:1", 1, TimeUnit.SECONDS, "/z"))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> new Log.Reader(null))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(new Log.Position(258).identity()).containsExactly(0, 0, 0, 0, 0, 0, 1, 2);
    assertThat(new Log.Position(1)).isLessThan(new Log.Position(2)).hasToString("Position 1");
  }
}
