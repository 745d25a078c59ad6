package org.mezzo.isolator.cgroups;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.isolator.Container;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.IsolatorContract;

/** The rules of isolators for one of version 1, with files in place of the kernel's. */
abstract class FakeTreeContract extends IsolatorContract {
  private final String controller;
  private final List<String> files;
  @TempDir Path tree;

  FakeTreeContract(String controller, List<String> files) {
    this.controller = controller;
    this.files = new ArrayList<>(files);
    this.files.add("cgroup.procs");
  }

  abstract Isolator isolator(Path mountInfo);

  @Override
  protected Isolator module() throws IOException {
    Path mount = Files.createDirectories(tree.resolve(controller));
    return isolator(
        Files.writeString(
            tree.resolve("mountinfo"),
            "32 31 0:29 / " + mount + " rw,relatime - cgroup cgroup rw," + controller + "\n"));
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(Map.of("cgroups_root", "mezzo"));
  }

  private Path root() {
    return tree.resolve(controller).resolve("mezzo");
  }

  /** As a kernel, which has files in a cgroup as soon as it is made. */
  @Override
  protected Container.Builder container(Container.Builder plain) throws IOException {
    Path group = Files.createDirectories(root().resolve(plain.build().id()));
    for (String file : files) {
      Files.writeString(group.resolve(file), "");
    }
    return plain;
  }

  /** As a kernel, which has no files in the way when a cgroup is removed. */
  @Override
  protected void ended(Container container) throws IOException {
    for (String file : files) {
      Files.deleteIfExists(root().resolve(container.id()).resolve(file));
    }
  }

  @Override
  protected Set<String> made() throws IOException {
    Set<String> groups = new TreeSet<>();
    if (Files.exists(root())) {
      try (DirectoryStream<Path> entries = Files.newDirectoryStream(root())) {
        entries.forEach(each -> groups.add("cgroup " + each.getFileName()));
      }
    }
    return groups;
  }
}
