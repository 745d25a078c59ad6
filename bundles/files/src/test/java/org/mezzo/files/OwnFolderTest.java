package org.mezzo.files;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OwnFolderTest {
  private static final int STRANGER = 54_321;

  @TempDir Path folder;

  private static String mode(Path path) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }

  private static void mode(Path path, int mode) throws Exception {
    Files.setAttribute(path, "unix:mode", mode);
  }

  private static void giveAway(Path path) throws Exception {
    assumeTrue("root".equals(System.getProperty("user.name")), "only root can give files away");
    Files.setAttribute(path, "unix:uid", STRANGER, LinkOption.NOFOLLOW_LINKS);
  }

  private static void refused(Path path, String reason) {
    assertThatThrownBy(() -> OwnFolder.closed(path, "Or choose another one with --flag"))
        .hasMessageContaining("The folder " + path + " is not used")
        .hasMessageContaining(reason)
        .hasMessageEndingWith("Or choose another one with --flag");
  }

  @Test
  void makesIt() throws Exception {
    OwnFolder.closed(folder.resolve("a/b"), "");
    assertThat(mode(folder.resolve("a/b"))).isEqualTo("rwx------");
    OwnFolder.open(folder.resolve("c"), "");
    assertThat(mode(folder.resolve("c"))).isEqualTo("rwxr-xr-x");
    OwnFolder.closed(folder.resolve("c"), "");
    assertThat(mode(folder.resolve("c"))).isEqualTo("rwx------");
  }

  @Test
  void refusesAFolderOfAnotherUser() throws Exception {
    Path other = Files.createDirectory(folder.resolve("mezzo-agent"));
    giveAway(other);
    refused(other, "belongs to user " + STRANGER);
  }

  @Test
  void refusesALinkOfAnotherUser() throws Exception {
    Path own = Files.createDirectory(folder.resolve("own"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), own);
    OwnFolder.closed(link, "");
    giveAway(link);
    refused(link, "is a link that user " + STRANGER + " has made");
    refused(link.resolve("below"), "through the link " + link);
  }

  @Test
  void refusesWhatOthersMayHaveFilled() throws Exception {
    Path shared = Files.createDirectory(folder.resolve("shared"));
    mode(shared, 0777);
    OwnFolder.closed(shared, "");
    assertThat(mode(shared)).as("empty, so nothing was planted").isEqualTo("rwx------");
    mode(shared, 0777);
    Files.writeString(shared.resolve("command"), "evil");
    assertThatThrownBy(() -> OwnFolder.open(shared, ""))
        .hasMessageContaining("mode 777")
        .hasMessageContaining("chmod go-w " + shared);
  }

  @Test
  void refusesWhatOthersCanExchange() throws Exception {
    Path shared = Files.createDirectory(folder.resolve("tmp"));
    mode(shared, 0777);
    refused(shared.resolve("mezzo"), "any user can write in " + shared);
    mode(shared, 01777);
    OwnFolder.closed(shared.resolve("mezzo"), "");
    giveAway(shared);
    refused(shared.resolve("mezzo"), "any user can write in " + shared);
  }

  @Test
  void refusesAFile() throws Exception {
    refused(Files.writeString(folder.resolve("file"), ""), "is no folder");
  }
}
