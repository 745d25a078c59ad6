package org.mezzo.itests.arrows;

import aQute.bnd.header.OSGiHeader;
import aQute.bnd.osgi.Analyzer;
import aQute.bnd.osgi.Clazz;
import aQute.bnd.osgi.Jar;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

/** Which jar may refer to which packages; looks at the classes and at the manifest. */
final class Arrows {

  /** A rule about the jars whose file name matches. */
  private record Rule(Pattern jars, String what, Predicate<String> forbidden) {}

  private static final List<Rule> RULES =
      List.of(
          rule("mezzo-host", "the host knows nothing of Mezzo", mezzoExcept("host")),
          rule("mezzo-protocol", "protocol stands on nothing of Mezzo", mezzoExcept("protocol")),
          rule("mezzo-files", "files stand on nothing of Mezzo", mezzoExcept("files")),
          rule(
              "mezzo-resources",
              "resources stand on protocol only",
              mezzoExcept("protocol", "resources")),
          rule(
              "mezzo-api",
              "the SPI knows no implementation",
              mezzoExcept("api", "protocol", "resources")),
          rule(
              "mezzo-(allocator|isolator|hooks|fetcher|htpasswd|example).*",
              "modules are written against the SPI only",
              mezzoExcept("api", "protocol", "resources")),
          rule(
              "mezzo-testing",
              "stand-ins for tests of modules know the SPI only",
              mezzoExcept("testing", "api", "protocol", "resources")),
          rule(
              "mezzo-(?!testing).*",
              "stand-ins are for tests, nothing that is shipped uses them",
              in("org.mezzo.testing")),
          rule("mezzo-master", "master and agent never meet", in("org.mezzo.agent")),
          rule("mezzo-agent", "master and agent never meet", in("org.mezzo.master")),
          rule(
              "mezzo-(?!cli).*",
              "only the command line knows the host",
              in("org.mezzo.cli", "org.mezzo.host")),
          rule(
              "mezzo-(?!http|link).*",
              "Jetty is known to http and link only",
              in("org.eclipse.jetty")),
          rule(
              "mezzo-(?!coordination).*",
              "Curator and ZooKeeper are known to coordination only",
              in("org.apache.curator", "org.apache.zookeeper")));

  private Arrows() {}

  private static Rule rule(String jars, String what, Predicate<String> forbidden) {
    return new Rule(Pattern.compile(jars + "-\\d.*\\.jar"), what, forbidden);
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

  private static Predicate<String> mezzoExcept(String... allowed) {
    String[] prefixes = new String[allowed.length];
    for (int i = 0; i < allowed.length; i++) {
      prefixes[i] = "org.mezzo." + allowed[i];
    }
    return in("org.mezzo").and(in(prefixes).negate());
  }

  /** One line for each package that the jar refers to and must not. */
  static List<String> violations(Path jar) throws Exception {
    String file = jar.getFileName().toString();
    Set<String> own = new TreeSet<>();
    Set<String> referred = new TreeSet<>();
    try (Analyzer analyzer = new Analyzer(new Jar(jar.toFile()))) {
      analyzer.analyze();
      analyzer.getContained().keySet().forEach(contained -> own.add(contained.getFQN()));
      for (Clazz type : analyzer.getClassspace().values()) {
        // Libraries that a bundle embeds may refer to what is not there.
        if (isOurs(type.getClassName().getFQN())) {
          type.getReferred().forEach(reference -> referred.add(reference.getFQN()));
        }
      }
    }
    referred.addAll(imports(jar));
    List<String> violations = new ArrayList<>();
    for (Rule rule : RULES) {
      if (rule.jars.matcher(file).matches()) {
        for (String name : referred) {
          if (rule.forbidden.test(name) && !(own.contains(name) && isOurs(name))) {
            violations.add(file + " refers to " + name + ", but " + rule.what);
          }
        }
      }
    }
    return violations;
  }

  private static boolean isOurs(String name) {
    return name.startsWith("org.mezzo.");
  }

  private static Set<String> imports(Path jar) throws IOException {
    try (JarFile file = new JarFile(jar.toFile())) {
      String header = file.getManifest().getMainAttributes().getValue("Import-Package");
      return header == null ? Set.of() : OSGiHeader.parseHeader(header).keySet();
    }
  }
}
