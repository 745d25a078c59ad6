package org.mezzo.isolator.posix;

import java.util.Map;
import org.mezzo.api.isolator.Isolator;
import org.mezzo.testing.FakeDaemonContext;
import org.mezzo.testing.contract.IsolatorContract;

class DiskIsolatorContractTest extends IsolatorContract {
  @Override
  protected Isolator module() {
    return new DiskIsolator();
  }

  @Override
  protected FakeDaemonContext context(FakeDaemonContext plain) {
    return plain.withFlags(
        Map.of("enforce_container_disk_quota", "true", "container_disk_watch_interval", "20ms"));
  }
}
