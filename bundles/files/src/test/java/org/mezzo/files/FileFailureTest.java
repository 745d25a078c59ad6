package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileFailureTest {
  @TempDir Path dir;

  private static String reason(ThrowingCallable step) {
    return FileFailure.reason(catchThrowableOfType(IOException.class, step));
  }

  @Test
  void saysWhatIsWrongWithWhichFile() throws Exception {
    Path file = Files.createFile(dir.resolve("file"));
    assertThat(reason(() -> Files.createDirectories(file))).isEqualTo(file + " is in the way");
    assertThat(reason(() -> Files.newInputStream(dir.resolve("none"))))
        .isEqualTo(dir.resolve("none") + " is not there");
    assertThat(reason(() -> Files.delete(dir))).isEqualTo(dir + " is a folder that is not empty");
    assertThat(reason(() -> Files.createDirectory(file.resolve("below"))))
        .isEqualTo(file.resolve("below") + ": Not a directory");
    assertThat(FileFailure.reason(new AccessDeniedException("/x")))
        .isEqualTo("/x: permission denied");
    assertThat(FileFailure.reason(new IOException("no luck"))).isEqualTo("no luck");
    assertThat(FileFailure.reason(new IOException())).isEqualTo("java.io.IOException");
  }
}
