/* The one program of the launcher; a shim is a fork of it. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mounts.h"
#include "relay.h"
#include "spawner.h"
#include "wire.h"

enum {
  LINGER = 30,
};

static int usage(void) {
  fprintf(
      stderr,
      "usage: mezzo-launcher version | self-test | mount-test | spawner RUNTIME_DIRECTORY [LINGER_SECONDS]"
      " | relay FOLDER\n"
      "The agent starts it; its protocol is in docs/launcher-protocol.md.\n");
  return 64;
}

int main(int count, char **arguments) {
  if (count == 2 && strcmp(arguments[1], "version") == 0) {
    printf("%d.%d", VERSION_MAJOR, VERSION_MINOR);
    for (const char *const *feature = features; *feature != NULL; feature++) {
      printf(" %s", *feature);
    }
    printf("\n");
    return 0;
  }
  if (count == 2 && strcmp(arguments[1], "self-test") == 0) {
    return spawner_self_test();
  }
  if (count == 2 && strcmp(arguments[1], "mount-test") == 0) {
    return mounts_test();
  }
  if ((count == 3 || count == 4) && strcmp(arguments[1], "spawner") == 0
      && arguments[2][0] == '/') {
    int linger = count == 4 ? atoi(arguments[3]) : LINGER;
    return spawner_run(arguments[2], linger < 0 ? LINGER : linger);
  }
  if (count == 3 && strcmp(arguments[1], "relay") == 0 && arguments[2][0] == '/') {
    return relay_run(arguments[2]);
  }
  return usage();
}
