/* The mount namespace of a task, and what is mounted in it and nowhere else. */
#ifndef MEZZO_MOUNTS_H
#define MEZZO_MOUNTS_H

#include "plan.h"

enum {
  MOUNT_PROBLEM_SIZE = 512,
};

/*
 * In the task, as root: enters and makes the namespaces of its plan and mounts all of it, in order.
 * What is mounted reaches no other namespace; what others mount reaches this one.
 *
 * folder: the container's, opened where the shim is. False: problem says what could not be mounted,
 * and why; the process is of no use any more.
 */
bool mounts_make(const struct plan *plan, int folder, char problem[MOUNT_PROBLEM_SIZE]);

/* Whether this process could make them: a status to end with, and on its output why not. */
int mounts_test(void);

#endif
