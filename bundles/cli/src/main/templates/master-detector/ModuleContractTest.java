package {{package}};

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.mezzo.api.detector.MasterDetector;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.MasterDetectorContract;

class {{class}}ContractTest extends MasterDetectorContract {
  @TempDir Path folder;
  private Optional<String> leader = Optional.empty();

  @BeforeEach
  void lead() throws IOException {
    elect(Optional.of("127.0.0.1:5050"));
  }

  @Override
  protected MasterDetector module() {
    return new {{class}}();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withParameters(Map.of("file", folder.resolve("leader").toString()));
  }

  @Override
  protected Optional<String> leader() {
    return leader;
  }

  @Override
  protected boolean elect(Optional<String> next) throws IOException {
    // Moved into its place, so that nobody reads half of it.
    Path written = Files.writeString(folder.resolve("next"), next.orElse(""));
    Files.move(written, folder.resolve("leader"), StandardCopyOption.ATOMIC_MOVE);
    leader = next;
    return true;
  }
}
