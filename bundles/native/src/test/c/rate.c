/*
 * The machine's own rate: how long one posix_spawn of a program takes, with waiting for its end, and, after
 * a space, the processor time of the program itself; both in milliseconds.
 * Usage: rate COUNT AT_ONCE PROGRAM [ARGUMENT ...]
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int count, char **arguments) {
  CHECK(count >= 4);
  int all = atoi(arguments[1]);
  int most = atoi(arguments[2]);
  int begun = 0;
  int ended = 0;
  double begin = seconds();
  while (ended < all) {
    while (begun < all && begun - ended < most) {
      pid_t pid;
      CHECK(posix_spawn(&pid, arguments[3], NULL, NULL, arguments + 3, environ) == 0);
      begun++;
    }
    CHECK(wait(NULL) > 0);
    ended++;
  }
  double took = seconds() - begin;
  struct rusage used;
  CHECK(getrusage(RUSAGE_CHILDREN, &used) == 0);
  double processor = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
  printf("%.3f %.3f\n", took * 1000 / all, processor * 1000 / all);
  return 0;
}
