package org.mezzo.isolator.cgroups;

import java.nio.file.Path;
import java.util.List;
import org.mezzo.api.isolator.Isolator;

class CpuIsolatorContractTest extends FakeTreeContract {
  CpuIsolatorContractTest() {
    super("cpu", List.of("cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us"));
  }

  @Override
  Isolator isolator(Path mountInfo) {
    return new CpuIsolator(mountInfo);
  }
}
