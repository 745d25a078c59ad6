/*
 * The machine's own rate: how long one posix_spawn of a program takes, with waiting for its end.
 * Usage: rate COUNT AT_ONCE PROGRAM [ARGUMENT ...]
 */
#define _GNU_SOURCE
#include <spawn.h>
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
  printf("%.3f\n", (seconds() - begin) * 1000 / all);
  return 0;
}
