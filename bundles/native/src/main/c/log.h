/* A file of output that is kept small. */
#ifndef MEZZO_LOG_H
#define MEZZO_LOG_H

#include "plan.h"

/* With whose rights files are made and renamed in a folder that is not one's own. */
struct owner {
  bool other;
  uid_t user;
  gid_t group;
  mode_t mask;
};

struct log {
  /* -1: what is written is dropped. */
  int file;
  char name[LOG_NAME_MOST + 1];
  uint64_t size;
  struct rotation rotation;
  /* Bytes that could not be written, which the file says once it can be written again. */
  uint64_t lost;
  int problem;
};

/* Goes on with an open file that is now this log's own. */
void log_begin(struct log *log, int file, const char *name, const struct rotation *rotation);

/*
 * Appends bytes. Before the file grows beyond its size it is renamed to NAME.1, that one to NAME.2
 * and so on, and the oldest goes. Of what comes at once no line is torn that fits into a file. Never
 * waits for anybody but a disk.
 *
 * folder: of the file and the older ones
 */
void log_write(
    struct log *log, int folder, const struct owner *owner, const uint8_t *at, size_t length);

#endif
