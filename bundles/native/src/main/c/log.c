#define _GNU_SOURCE
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  NAME_SIZE = LOG_NAME_MOST + 16,
};

void log_begin(struct log *log, int file, const char *name, const struct rotation *rotation) {
  struct stat stat;
  memset(log, 0, sizeof *log);
  log->file = file;
  log->rotation = *rotation;
  snprintf(log->name, sizeof log->name, "%s", name);
  if (fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode)) {
    /* What the user has put there instead may be full, or never end. */
    fcntl(file, F_SETFL, fcntl(file, F_GETFL) | O_NONBLOCK);
    log->rotation.most = 0;
  } else {
    log->size = (uint64_t)stat.st_size;
  }
}

static void older_name(char name[NAME_SIZE], const struct log *log, uint32_t number) {
  if (number == 0) {
    snprintf(name, NAME_SIZE, "%s", log->name);
  } else {
    snprintf(name, NAME_SIZE, "%s.%u", log->name, (unsigned)number);
  }
}

/* As the user, in whose folder nothing is done that the user may not do. */
static int next_file(const struct log *log, int folder) {
  char from[NAME_SIZE];
  char to[NAME_SIZE];
  struct stat stat;
  if (log->rotation.older == 0) {
    if (unlinkat(folder, log->name, 0) != 0 && errno != ENOENT) {
      return -1;
    }
  }
  for (uint32_t number = log->rotation.older; number > 0; number--) {
    older_name(from, log, number - 1);
    older_name(to, log, number);
    if (renameat(folder, from, folder, to) != 0 && errno != ENOENT) {
      return -1;
    }
  }
  int file = openat(
      folder,
      log->name,
      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
      0666);
  if (file >= 0 && (fstat(file, &stat) != 0 || !S_ISREG(stat.st_mode))) {
    close(file);
    return -1;
  }
  return file;
}

static void rotate(struct log *log, int folder, const struct owner *owner) {
  mode_t mask = umask(owner->mask);
  if (owner->other) {
    setfsgid(owner->group);
    setfsuid(owner->user);
  }
  int file = next_file(log, folder);
  if (owner->other) {
    setfsuid(geteuid());
    setfsgid(getegid());
  }
  umask(mask);
  /* Where the user has made that impossible, the file grows, and it is tried again later. */
  log->size = 0;
  if (file >= 0) {
    close(log->file);
    log->file = file;
  }
}

static bool put(struct log *log, const uint8_t *at, size_t length) {
  while (length > 0) {
    ssize_t count = write(log->file, at, length);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      log->problem = count == 0 ? EIO : errno;
      log->lost += length;
      return false;
    }
    at += count;
    length -= (size_t)count;
    log->size += (uint64_t)count;
  }
  return true;
}

/* False: it is still so. */
static bool tell_lost(struct log *log) {
  char line[160];
  uint64_t lost = log->lost;
  int length = snprintf(
      line,
      sizeof line,
      "\nmezzo: %llu bytes of output are missing here: %s\n",
      (unsigned long long)lost,
      strerror(log->problem));
  log->lost = 0;
  if (put(log, (const uint8_t *)line, (size_t)length)) {
    return true;
  }
  log->lost = lost;
  return false;
}

void log_write(
    struct log *log, int folder, const struct owner *owner, const uint8_t *at, size_t length) {
  while (length > 0 && log->file >= 0) {
    size_t part = length;
    if (log->rotation.most != 0) {
      if (log->size >= log->rotation.most) {
        rotate(log, folder, owner);
      }
      uint64_t room = log->rotation.most - log->size;
      if (length > room) {
        const uint8_t *end = memrchr(at, '\n', (size_t)room);
        /* A line that would be torn begins the next file, unless it is longer than any file. */
        part = end != NULL ? (size_t)(end - at) + 1 : log->size == 0 ? (size_t)room : 0;
      }
    }
    if (part == 0) {
      log->size = log->rotation.most;
      continue;
    }
    if (log->lost > 0 && !tell_lost(log)) {
      log->lost += length;
      return;
    }
    if (!put(log, at, part)) {
      log->lost += length - part;
      return;
    }
    at += part;
    length -= part;
    if (length > 0 && log->rotation.most != 0) {
      log->size = log->rotation.most;
    }
  }
}
