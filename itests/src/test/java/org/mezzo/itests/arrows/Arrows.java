package org.mezzo.itests.arrows;

import aQute.bnd.header.OSGiHeader;
import aQute.bnd.osgi.Analyzer;
import aQute.bnd.osgi.Clazz;
import aQute.bnd.osgi.Jar;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.jar.Manifest;

/**
 * Which part refers to which packages, by its classes and its manifest, and whether it may:
 * packages of Mezzo by the {@link DependencyTable}, those of some libraries by a list of the parts
 * that are there to hide them.
 */
final class Arrows {
  private static final String OURS = "org.mezzo.";

  /** A library, and the parts that may know it. */
  private record Hidden(String what, Set<String> by, Predicate<String> packages) {}

  private static final List<Hidden> LIBRARIES =
      List.of(
          new Hidden("Jetty", Set.of("http", "link"), in("org.eclipse.jetty")),
          new Hidden(
              "Curator and ZooKeeper",
              Set.of("coordination", "mesos-driver"),
              in("org.apache.curator", "org.apache.zookeeper")));

  /** What a part holds and what it refers to. */
  record Content(Set<String> own, Set<String> referred) {

    /** Of a jar, or of a folder of classes. */
    static Content of(Path jarOrClasses) throws Exception {
      Set<String> own = new TreeSet<>();
      Set<String> referred = new TreeSet<>();
      try (Analyzer analyzer = new Analyzer(new Jar(jarOrClasses.toFile()))) {
        analyzer.analyze();
        analyzer.getContained().keySet().forEach(contained -> own.add(contained.getFQN()));
        for (Clazz type : analyzer.getClassspace().values()) {
          // Libraries that a bundle embeds may refer to what is not there.
          if (type.getClassName().getFQN().startsWith(OURS)) {
            type.getReferred().forEach(reference -> referred.add(reference.getFQN()));
          }
        }
        Manifest manifest = analyzer.getJar().getManifest();
        String imports =
            manifest == null ? null : manifest.getMainAttributes().getValue("Import-Package");
        if (imports != null) {
          referred.addAll(OSGiHeader.parseHeader(imports).keySet());
        }
      }
      return new Content(own, referred);
    }
  }

  private final DependencyTable table;

  /** The part that holds each package of Mezzo. */
  private final Map<String, String> holders = new TreeMap<>();

  Arrows(DependencyTable table) {
    this.table = table;
  }

  private static Predicate<String> in(String... prefixes) {
    return name -> {
      for (String prefix : prefixes) {
        if (name.equals(prefix) || name.startsWith(prefix + ".")) {
          return true;
        }
      }
      return false;
    };
  }

  /**
   * Makes known what a part holds.
   *
   * @return one line for each package that another part holds, too
   */
  List<String> add(String part, Content content) {
    List<String> twice = new ArrayList<>();
    for (String name : content.own) {
      String other = name.startsWith(OURS) ? holders.putIfAbsent(name, part) : null;
      if (other != null && !other.equals(part)) {
        twice.add(name + " is in " + other + " and in " + part);
      }
    }
    return twice;
  }

  /**
   * What a part refers to and must not; all parts have been added before.
   *
   * @param module the folder of the part
   * @return one line for each package
   */
  List<String> violations(String module, Content content) {
    String part = DependencyTable.name(module);
    List<String> violations = new ArrayList<>();
    Optional<String> row = table.row(module);
    if (row.isEmpty()) {
      return List.of(module + " has no row in the table of docs/architecture.md");
    }
    Optional<Set<String>> allowed = table.allowed(row.get());
    for (String name : content.referred) {
      if (name.startsWith(OURS) && !content.own.contains(name) && allowed.isPresent()) {
        String holder = holders.getOrDefault(name, "nobody");
        if (!allowed.get().contains(holder)) {
          violations.add(
              part
                  + " refers to "
                  + name
                  + " of "
                  + holder
                  + ", which its row in docs/architecture.md does not allow");
        }
      }
      for (Hidden library : LIBRARIES) {
        if (library.packages.test(name)
            && !library.by.contains(part)
            && allowed.isPresent()
            && !content.own.contains(name)) {
          violations.add(
              part + " refers to " + name + ", but " + library.what + " is known to " + library.by);
        }
      }
    }
    return violations;
  }
}
