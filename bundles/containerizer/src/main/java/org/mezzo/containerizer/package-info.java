/**
 * Containers of one agent: their processes, sandboxes, isolators and fetched files.
 *
 * <p>They form a tree. A container is named with those in which it is nested ({@link
 * org.mezzo.containerizer.ContainerId}), starts only while its parent runs, has its sandbox in that
 * one's or shares it, is limited with it, and goes before it. How it ended is known until it is
 * removed or its parent is, unless it was to be passing. An enclosure has no process and no limits:
 * what is nested in one is made and isolated as if it were in none, and goes with it.
 *
 * <p>What a container writes goes to files of its sandbox, as the container logger says, and what
 * it reads and writes can be attached to where that was asked for ({@link
 * org.mezzo.containerizer.ContainerIo}). All of it is done by its shim, nothing by the agent.
 *
 * <p>Containers outlive the agent process. What is needed to go on with one is written before
 * anything is done, and {@link org.mezzo.containerizer.Containerizer#recover} of the next process
 * adopts those that it wants and destroys the others.
 *
 * <h2>Files below the runtime directory</h2>
 *
 * <p>All of it belongs to the agent's own account and is closed to others.
 *
 * <ul>
 *   <li>{@code launcher.sh}, {@code launcher.pid}, {@code launcher.log}: the shell that forks the
 *       shims, its process id and what it complained about. It ends when the agent does. Signals
 *       are sent by the agent itself or by a second shell. The native launcher has a folder {@code
 *       launcher} instead and outlives the agent; see {@code docs/launcher-protocol.md}, also for
 *       {@code containers/<id>/control}.
 *   <li>{@code events}: a fifo into which shims write as things happen, those of an earlier agent
 *       process, too. Only a wake-up: the truth is in the files below.
 *   <li>{@code containers.log}: what the agent has decided of each container, in the order in which
 *       it did: its description, each state, what isolators want kept, how it ended. A text line
 *       for the format, then entries of length, checksum (four bytes each) and content, the first
 *       of which is the boot id of the machine. An entry that is cut off or damaged ends it.
 *   <li>{@code containers/<id>/containers/<id>}: the files of a container that is nested, and so
 *       on. An id is there as letters, digits, {@code -} and {@code _}; other characters are the
 *       bytes of UTF-8 as {@code %XX}.
 *   <li>{@code containers/<id>/command}, and {@code task} where the user is switched: what the shim
 *       and then the user's shell read in order to become the task, its environment included. Mode
 *       0600.
 *   <li>{@code containers/<id>/pid}: one line, {@code <pid> <start time> <shim> <start time>}, of
 *       the container's first process and its parent. A start time is field 22 of {@code
 *       /proc/<pid>/stat}; a process with that pid and another start time is somebody else's. The
 *       process leads a session and a process group of its own, so {@code kill -s KILL -- -<pid>}
 *       ends all of it but what left the session.
 *   <li>{@code containers/<id>/status}: one line, the raw wait status of the first process; absent
 *       while it runs.
 *   <li>{@code containers/<id>/cgroup}: as root, one line, the folder of the container's cgroup
 *       (v2, which it is born into) or freezer (v1); its {@code cgroup.procs} lists every process
 *       of the container, but for those nested in it, whose cgroups are below.
 *   <li>{@code containers/<id>/sandbox}: the absolute path of the sandbox.
 *   <li>{@code withdrawn}: files of containers that were given up before they had a process; they
 *       are moved there first, so that a shim that comes late finds nothing to run.
 * </ul>
 *
 * <p>A line without its line feed is not yet written and is to be ignored. A container's folder is
 * removed once its last process is gone. Every process of a container that does not drop it carries
 * {@code MEZZO_CONTAINER_ID=<id>} in its environment, by which strays are found without root; of
 * nested ones all ids from the outermost on, with dots between.
 */
@Version("0.1.0")
@Export
package org.mezzo.containerizer;

import org.osgi.annotation.bundle.Export;
import org.osgi.annotation.versioning.Version;
