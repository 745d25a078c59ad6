/* A program outside of the container that reads what the container writes. */
#ifndef MEZZO_HELPER_H
#define MEZZO_HELPER_H

#include "plan.h"

enum {
  HELPER_NAME_SIZE = 256,
};

struct helper {
  /* 0: there is none, or it has ended and was waited for. */
  pid_t pid;
  /* Its input, which never blocks here; -1: there is none, or it reads no more. */
  int to;
  /* The same pipe for reading once its input is closed, for what it never reads; -1: no more. */
  int unread;
  /* What the pipe has not taken yet. */
  struct buffer waiting;
  /* What messages call it. */
  char name[HELPER_NAME_SIZE];
  /* By the shim, to which it came too slow. */
  bool killed;
  /* Agents were told that not all went well with it. */
  bool told;
};

/*
 * How long a file system may take to find a helper's directory and its program, in milliseconds;
 * tests have less time.
 */
extern int helper_begin_most;

/*
 * Starts what a plan names for a stream: as the task's user, in the task's directory, in nothing
 * else that limits the task. What it writes to its errors stands in the container's. False:
 * problem says why not.
 *
 * number: 0 for output, 1 for errors
 */
bool helper_start(
    struct helper *helper,
    const struct plan *plan,
    int number,
    const struct rlimit *files,
    char problem[PROBLEM_SIZE]);

/* Gives it of what waits as much as it takes. False: it reads no more. */
bool helper_feed(struct helper *helper);

/* Ends its input. What it has not read then can be read here; if not, errno says why. */
void helper_close(struct helper *helper);

#endif
