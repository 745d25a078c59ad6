package org.mezzo.cli;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/** What {@code mezzo version} prints. */
final class Versions implements IVersionProvider {
  @Override
  public String[] getVersion() throws IOException {
    Properties build = new Properties();
    try (InputStream stream = Versions.class.getResourceAsStream("build.properties")) {
      build.load(stream);
    }
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
