package org.mezzo.itests.osgi;

import aQute.bnd.osgi.Builder;
import aQute.bnd.osgi.Jar;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/**
 * A hook that is compiled and bundled against the API as it was, by the compiler and by bnd, as its
 * author would have done then. Apart from the test, which runs inside the framework.
 */
final class PreviousApiBundles {
  static final String NAME = "org.example.previous";

  private static final String HOOK =
      """
      package org.example.previous;

      import java.util.Map;
      import org.mezzo.api.DaemonContext;
      import org.mezzo.api.hook.Hook;
      import org.mezzo.protocol.v1.TaskInfo;

      public class PreviousHook implements Hook {
        private String daemon;

        @Override
        public void open(DaemonContext context) {
          daemon = context.daemon();
          context.metrics().counter("opened").increment();
        }

        @Override
        public Map<String, String> agentTaskEnvironment(TaskInfo task) {
          return Map.of("OF", daemon + " " + task.getName());
        }
      }
      """;

  private static final String COMPONENT =
      """
      <scr:component xmlns:scr="http://www.osgi.org/xmlns/scr/v1.3.0" name="previous">
        <property name="mezzo.module.kind" value="hook"/>
        <property name="mezzo.module.name" value="previous"/>
        <service scope="prototype"><provide interface="org.mezzo.api.hook.Hook"/></service>
        <implementation class="org.example.previous.PreviousHook"/>
      </scr:component>
      """;

  private PreviousApiBundles() {}

  /** Builds the module, and a copy of it that wants the next major version of the API. */
  static Path build() throws Exception {
    Path folder = BuildFolders.create("previous");
    Path classes = Files.createDirectories(folder.resolve("classes"));
    List<Path> then =
        List.of(baseline(folder, "mezzo-api.jar"), baseline(folder, "mezzo-resources.jar"));
    List<Path> classPath = new ArrayList<>(then);
    classPath.add(location("org.mezzo.protocol.v1.TaskInfo"));
    classPath.add(location("com.google.protobuf.Message"));
    compile(folder, classes, classPath);
    try (Builder builder = new Builder()) {
      builder.setProperty("Bundle-SymbolicName", NAME);
      builder.setProperty("Bundle-Version", "1.0.0");
      builder.setProperty("Private-Package", NAME);
      Path component = Files.writeString(folder.resolve("previous.xml"), COMPONENT);
      builder.setProperty("Include-Resource", "OSGI-INF/previous.xml=" + component);
      builder.setProperty("Service-Component", "OSGI-INF/previous.xml");
      builder.setProperty(
          "Require-Capability",
          "osgi.extender;filter:='(&(osgi.extender=osgi.component)(version>=1.3.0)(!(version>=2.0.0)))'");
      builder.addClasspath(classes.toFile());
      for (Path jar : classPath) {
        builder.addClasspath(jar.toFile());
      }
      try (Jar jar = builder.build()) {
        if (!builder.isOk()) {
          throw new IOException(builder.getErrors().toString());
        }
        jar.write(folder.resolve("previous.jar").toFile());
        String imports = jar.getManifest().getMainAttributes().getValue("Import-Package");
        if (!imports.contains("org.mezzo.api;version=\"[1.0,2)\"")) {
          throw new IOException("It was not built against what was: " + imports);
        }
        jar.getManifest()
            .getMainAttributes()
            .putValue(
                "Import-Package",
                imports.replace(
                    "org.mezzo.api;version=\"[1.0,2)\"", "org.mezzo.api;version=\"[2.0,3)\""));
        jar.getManifest().getMainAttributes().putValue("Bundle-Version", "2.0.0");
        jar.write(folder.resolve("next.jar").toFile());
      }
    }
    return BuildFolders.goneAtExit(folder);
  }

  private static Path baseline(Path folder, String name) throws IOException {
    Path jar = folder.resolve(name);
    try (InputStream in = PreviousApiBundles.class.getResourceAsStream("/baseline/" + name)) {
      Files.copy(in, jar);
    }
    return jar;
  }

  private static Path location(String type) throws Exception {
    return Path.of(Class.forName(type).getProtectionDomain().getCodeSource().getLocation().toURI());
  }

  private static void compile(Path folder, Path classes, List<Path> classPath) throws IOException {
    Path source =
        Files.writeString(folder.resolve("PreviousHook.java"), HOOK, StandardCharsets.UTF_8);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    boolean compiled =
        compiler
            .getTask(
                said,
                null,
                null,
                Stream.of(
                        "--release",
                        "17",
                        "-proc:none",
                        "-d",
                        classes.toString(),
                        "-cp",
                        classPath.stream()
                            .map(Path::toString)
                            .collect(Collectors.joining(File.pathSeparator)))
                    .toList(),
                null,
                compiler
                    .getStandardFileManager(null, null, StandardCharsets.UTF_8)
                    .getJavaFileObjects(source))
            .call();
    if (!compiled) {
      throw new IOException(said.toString());
    }
  }
}
