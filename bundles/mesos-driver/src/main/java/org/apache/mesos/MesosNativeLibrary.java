package org.apache.mesos;

import java.util.logging.Logger;

/** The library that frameworks load before anything else; there is none to load. Thread-safe. */
public class MesosNativeLibrary {
  /** Of Mesos, whose classes these stand for. */
  public static final String VERSION = "1.11.0";

  private static final Logger LOG = Logger.getLogger(MesosNativeLibrary.class.getName());

  /** A version of Mesos. Immutable. */
  public static class Version implements Comparable<Version> {
    public final long major;
    public final long minor;
    public final long patch;

    public Version(long major, long minor, long patch) {
      this.major = natural(major, "Major");
      this.minor = natural(minor, "Minor");
      this.patch = natural(patch, "Patch");
    }

    public Version(long major, long minor) {
      this(major, minor, 0);
    }

    public Version(long major) {
      this(major, 0, 0);
    }

    private static long natural(long number, String name) {
      if (number < 0) {
        throw new IllegalArgumentException(name + " version must not be negative");
      }
      return number;
    }

    /** Beside that of objects, for callers that were compiled with it. */
    @SuppressWarnings("NonOverridingEquals")
    public boolean equals(Version other) {
      return other != null && compareTo(other) == 0;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Version && equals((Version) other);
    }

    @Override
    public int hashCode() {
      return Long.hashCode((major * 31 + minor) * 31 + patch);
    }

    @Override
    public int compareTo(Version other) {
      if (other == null) {
        throw new IllegalArgumentException("other Version must not be null");
      }
      int first = Long.compare(major, other.major);
      int second = first == 0 ? Long.compare(minor, other.minor) : first;
      return second == 0 ? Long.compare(patch, other.patch) : second;
    }

    public boolean before(Version other) {
      return compareTo(other) < 0;
    }

    public boolean after(Version other) {
      return compareTo(other) > 0;
    }

    @Override
    public String toString() {
      return major + "." + minor + "." + patch;
    }
  }

  /** Says that the file is not loaded. */
  public static void load(String path) {
    LOG.info(
        "No native library is loaded"
            + (path == null ? "" : " from " + path)
            + ": this driver of Mezzo needs none");
  }

  public static void load() {
    String path = System.getenv("MESOS_NATIVE_JAVA_LIBRARY");
    load(path == null ? System.getenv("MESOS_NATIVE_LIBRARY") : path);
  }

  public static Version version() {
    return new Version(1, 11, 0);
  }
}
