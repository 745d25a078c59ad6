package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What {@code mezzo version} prints. */
final class Versions implements IVersionProvider {
  /** The version of this Mezzo. */
  static String ofMezzo() {
    return build().getProperty("version");
  }

  private static Properties build() {
    Properties build = new Properties();
    try (InputStream stream = Versions.class.getResourceAsStream("build.properties")) {
      build.load(stream);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return build;
  }

  @Override
  public String[] getVersion() {
    Properties build = build();
    return new String[] {
      "mezzo " + build.getProperty("version"),
      "compatible with Mesos " + build.getProperty("mesos"),
      "on Java "
          + Runtime.version()
          + ", "
          + System.getProperty("os.name")
          + " "
          + System.getProperty("os.arch")
    };
  }
}
