package org.mezzo.isolator.posix;

import org.mezzo.api.MezzoModule;
import org.mezzo.api.isolator.Isolator;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ServiceScope;

/** The same as {@link DiskIsolator} by its former name. */
@Component(service = Isolator.class, scope = ServiceScope.PROTOTYPE)
@MezzoModule(
    kind = Isolator.KIND,
    name = "posix/disk",
    version = "0.1.0",
    author = "Mezzo",
    description = "measures and limits the disk that containers use; former name of disk/du",
    flags = {"enforce_container_disk_quota", "container_disk_watch_interval"})
public final class PosixDiskIsolator extends DiskIsolator {}
