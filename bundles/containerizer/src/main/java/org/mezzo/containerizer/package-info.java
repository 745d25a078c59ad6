/**
 * Containers of one agent: their processes, sandboxes, isolators and fetched files.
 *
 * <h2>Files below the runtime directory</h2>
 *
 * <p>All of it belongs to the agent's own account and is closed to others.
 *
 * <ul>
 *   <li>{@code launcher.sh}, {@code launcher.pid}, {@code launcher.log}: the shell that forks the
 *       shims, its process id and what it complained about. It ends when the agent does. The native
 *       launcher has a folder {@code launcher} instead and outlives the agent; see {@code
 *       docs/launcher-protocol.md}, also for {@code containers/<id>/control}.
 *   <li>{@code events}: a fifo into which shims write as things happen. Only a wake-up: the truth
 *       is in the files below.
 *   <li>{@code containers/<id>/command}, and {@code task} where the user is switched: what the shim
 *       and then the user's shell read in order to become the task, its environment included. Mode
 *       0600.
 *   <li>{@code containers/<id>/pid}: one line, {@code <pid> <start time> <shim>}, of the
 *       container's first process and its parent. The start time is field 22 of {@code
 *       /proc/<pid>/stat}; a process with that pid and another start time is somebody else's. The
 *       process leads a session and a process group of its own, so {@code kill -s KILL -- -<pid>}
 *       ends all of it but what left the session.
 *   <li>{@code containers/<id>/status}: one line, the raw wait status of the first process; absent
 *       while it runs.
 *   <li>{@code containers/<id>/cgroup}: as root, one line, the folder of the container's freezer
 *       (cgroup v1) or cgroup (v2); its {@code cgroup.procs} lists every process of the container.
 *   <li>{@code containers/<id>/sandbox}: the absolute path of the sandbox.
 * </ul>
 *
 * <p>A line without its line feed is not yet written and is to be ignored. A container's folder is
 * removed once its last process is gone. Every process of a container that does not drop it carries
 * {@code MEZZO_CONTAINER_ID=<id>} in its environment, by which strays are found without root.
 */
@Version("0.1.0")
@Export
package org.mezzo.containerizer;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
