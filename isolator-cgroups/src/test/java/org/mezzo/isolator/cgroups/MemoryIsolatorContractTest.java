package org.mezzo.isolator.cgroups;

import java.nio.file.Path;
import java.util.List;
import org.mezzo.api.isolator.Isolator;

class MemoryIsolatorContractTest extends FakeTreeContract {
  MemoryIsolatorContractTest() {
    super(
        "memory",
        List.of("memory.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.oom_control"));
  }

  @Override
  Isolator isolator(Path mountInfo) {
    return new MemoryIsolator(mountInfo);
  }
}
