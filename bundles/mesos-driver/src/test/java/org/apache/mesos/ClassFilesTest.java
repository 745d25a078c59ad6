package org.apache.mesos;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The driver has to run with any protocol buffers, wherever they were moved, and any Java. */
class ClassFilesTest {
  private static final int JAVA_8 = 52;

  @Test
  void classesAreOfJava8AndKnowNoProtocolBuffers() throws Exception {
    Path classes =
        Path.of(
            MesosSchedulerDriver.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Path> files;
    try (Stream<Path> all = Files.walk(classes)) {
      files = all.filter(it -> it.toString().endsWith(".class")).toList();
    }
    assertThat(files).hasSizeGreaterThan(20);
    for (Path file : files) {
      List<String> texts = new ArrayList<>();
      assertThat(read(file, texts)).as("version of %s", file).isEqualTo(JAVA_8);
      assertThat(texts)
          .as("constants of %s", file)
          .isNotEmpty()
          .noneMatch(it -> it.replace('.', '/').contains("com/google/protobuf"))
          .noneMatch(it -> it.replace('.', '/').contains("org/apache/mesos/protobuf"));
    }
  }

  /** Collects the texts of the constants, which all names of classes are, and tells the version. */
  private static int read(Path file, List<String> texts) throws IOException {
    try (DataInputStream in = new DataInputStream(Files.newInputStream(file))) {
      assertThat(in.readInt()).isEqualTo(0xcafebabe);
      in.readUnsignedShort();
      int version = in.readUnsignedShort();
      int constants = in.readUnsignedShort();
      for (int i = 1; i < constants; i++) {
        int tag = in.readUnsignedByte();
        switch (tag) {
          case 1 -> texts.add(in.readUTF());
          case 3, 4, 9, 10, 11, 12, 17, 18 -> in.readInt();
          case 5, 6 -> {
            in.readLong();
            i++;
          }
          case 7, 8, 16, 19, 20 -> in.readUnsignedShort();
          case 15 -> in.skipNBytes(3);
          default -> throw new IOException(file + " has a constant of the unknown kind " + tag);
        }
      }
      return version;
    }
  }
}
