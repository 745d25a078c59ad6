package org.mezzo.daemon;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;
import org.mezzo.protocol.v1.VersionInfo;

/** The versions a daemon tells. */
public final class Versions {
  /** What version fields that clients parse carry: the Mesos version whose API is spoken. */
  public static final String MESOS = "1.12.0";

  /** Mezzo's own version. */
  public static final String MEZZO;

  /** When this was built, {@code YYYY-MM-DD HH:MM:SS} in UTC. */
  public static final String BUILD_DATE;

  /** The same in seconds since the epoch. */
  public static final double BUILD_TIME;

  /** Who built it. */
  public static final String BUILD_USER = "mezzo";

  static {
    Properties build = new Properties();
    try (InputStream in = Versions.class.getResourceAsStream("build.properties")) {
      build.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    MEZZO = build.getProperty("version");
    java.time.Instant time = java.time.Instant.parse(build.getProperty("time"));
    BUILD_TIME = time.getEpochSecond();
    BUILD_DATE = time.toString().substring(0, 19).replace('T', ' ');
  }

  private Versions() {}

  /** What GET_VERSION answers. */
  public static VersionInfo info() {
    return VersionInfo.newBuilder()
        .setVersion(MESOS)
        .setBuildDate(BUILD_DATE)
        .setBuildTime(BUILD_TIME)
        .setBuildUser(BUILD_USER)
        .build();
  }
}
