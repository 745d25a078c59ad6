package org.mezzo.containerizer;

import java.nio.file.Path;

/**
 * A directory or file of this machine that appears elsewhere to the processes of one container, and
 * to those that are nested in it. Immutable.
 *
 * @param source absolute
 * @param at where it appears, normalized: relative to the container's sandbox, where it is there as
 *     a mount point already, or absolute
 * @param readOnly whether nobody can write to it there
 */
public record BindMount(Path source, Path at, boolean readOnly) {}
