/* The process that stands between a container and everything else. */
#ifndef MEZZO_SHIM_H
#define MEZZO_SHIM_H

#include <sys/resource.h>

#include "plan.h"

/* The name of the control socket in a container's folder. */
#define CONTROL "control"

/*
 * Becomes the shim of a container, in a process that was just forked for it, and never comes back.
 *
 * parent: a connected socket, to which it reports; it goes on when the other end is gone
 * files: how many open files the container may have unless its plan says otherwise
 */
_Noreturn void shim_run(struct plan *plan, int parent, const struct rlimit *files);

#endif
