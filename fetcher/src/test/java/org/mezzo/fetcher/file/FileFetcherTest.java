package org.mezzo.fetcher.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;

class FileFetcherTest {
  @TempDir Path folder;
  private final FileFetcher fetcher = new FileFetcher();

  private Path fetch(URI uri) throws Exception {
    Path target = folder.resolve("target");
    Files.deleteIfExists(target);
    fetcher.fetch(Fetcher.Request.of(uri, target, Duration.ofSeconds(60), line -> {}));
    return target;
  }

  @Test
  void copiesFiles() throws Exception {
    byte[] bytes = new byte[3_000_001];
    new Random(7).nextBytes(bytes);
    Path source = Files.write(folder.resolve("with blank"), bytes);
    assertThat(fetch(source.toUri())).hasSameBinaryContentAs(source);
    assertThat(fetcher.describe(source.toUri()).size()).contains((long) bytes.length);
    assertThat(fetcher.describe(source.toUri()).version())
        .contains("" + Files.getLastModifiedTime(source).toMillis());
  }

  @Test
  void saysWhatIsNoFileOfThisMachine() {
    assertThatThrownBy(() -> fetch(URI.create("file:///no/such/file")))
        .hasMessageContaining("'/no/such/file'");
    assertThatThrownBy(() -> fetch(folder.toUri())).hasMessageContaining("is not a file");
    assertThatThrownBy(() -> fetch(URI.create("file://elsewhere/etc/hosts")))
        .hasMessageContaining("elsewhere");
    assertThat(folder.resolve("target")).doesNotExist();
  }
}
