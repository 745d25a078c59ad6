package org.mezzo.fetcher.hadoop;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.fetcher.Fetcher;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.FetcherContract;

/** With a stand-in of the client, which reads from a folder. */
class HadoopFetcherContractTest extends FetcherContract {
  @TempDir Path home;
  private Path served;

  @BeforeEach
  void install() throws IOException {
    served = Files.createDirectories(home.resolve("served"));
    Path client = Files.createDirectories(home.resolve("bin")).resolve("hadoop");
    Files.writeString(
        client,
        "#!/bin/sh\nfor LAST; do :; done\ncase \"$2\" in\n-copyToLocal) exec cp '"
            + served
            + "'/\"${3#hdfs://name/}\" \"$4\";;\n*) exec stat -c '%s %Y' '"
            + served
            + "'/\"${LAST#hdfs://name/}\";;\nesac\n");
    Files.setPosixFilePermissions(client, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @Override
  protected Fetcher module() {
    return new HadoopFetcher();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(Map.of("hadoop_home", home.toString()));
  }

  @Override
  protected URI serve(String name, byte[] content) throws IOException {
    Path file = served.resolve(name);
    long changed = Files.exists(file) ? Files.getLastModifiedTime(file).toMillis() + 5000 : 0;
    Files.write(file, content);
    if (changed > 0) {
      Files.setLastModifiedTime(file, FileTime.fromMillis(changed));
    }
    return URI.create("hdfs://name/" + name);
  }

  @Override
  protected URI missing() {
    return URI.create("hdfs://name/missing");
  }
}
