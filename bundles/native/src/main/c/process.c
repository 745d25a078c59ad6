#define _GNU_SOURCE
#include "process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef CLONE_INTO_CGROUP
#define CLONE_INTO_CGROUP 0x200000000ULL
#endif
#ifndef CGROUP2_SUPER_MAGIC
#define CGROUP2_SUPER_MAGIC 0x63677270
#endif

/* Of all architectures, and of headers that do not know them yet. */
enum {
  CALL_CLONE3 = 435,
  CALL_CLOSE_RANGE = 436,
};

/* Reads a small file of /proc; its length, or -1. */
static ssize_t read_file(const char *path, char *text, size_t size) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return -1;
  }
  size_t length = 0;
  ssize_t count;
  while (length + 1 < size && (count = read(fd, text + length, size - 1 - length)) > 0) {
    length += (size_t)count;
  }
  close(fd);
  text[length] = 0;
  return (ssize_t)length;
}

/* The fields of /proc/PID/stat behind the name of the program, which may hold anything. */
static char *stat_fields(pid_t pid, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  if (read_file(path, text, size) <= 0) {
    return NULL;
  }
  char *end = strrchr(text, ')');
  return end == NULL || end[1] != ' ' ? NULL : end + 2;
}

uint64_t start_time(pid_t pid) {
  char text[1024];
  char *at = stat_fields(pid, text, sizeof text);
  for (int field = 3; at != NULL && field < 22; field++) {
    at = strchr(at, ' ');
    at = at == NULL ? NULL : at + 1;
  }
  return at == NULL ? 0 : strtoull(at, NULL, 10);
}

pid_t spawn_process(int cgroup, bool *in_cgroup) {
  *in_cgroup = false;
  if (cgroup >= 0) {
    struct {
      uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
          set_tid_size, cgroup;
    } arguments = {.flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)cgroup};
    long pid = syscall(CALL_CLONE3, &arguments, sizeof arguments);
    if (pid >= 0) {
      *in_cgroup = true;
      return (pid_t)pid;
    }
  }
  return fork();
}

static int signal_listed(char *list, int signal, bool (*spared)(pid_t pid)) {
  int count = 0;
  char *rest = NULL;
  for (char *word = strtok_r(list, " \n", &rest); word != NULL; word = strtok_r(NULL, " \n", &rest)) {
    pid_t pid = (pid_t)strtol(word, NULL, 10);
    if (pid > 1 && (spared == NULL || !spared(pid))) {
      kill(pid, signal);
      count++;
    }
  }
  return count;
}

int signal_children(pid_t parent, int signal, bool (*spared)(pid_t pid)) {
  char text[16384];
  snprintf(text, sizeof text, "/proc/%d/task/%d/children", (int)parent, (int)parent);
  ssize_t length = read_file(text, text, sizeof text);
  if (length >= 0) {
    /* Of more than fit, the last number may be cut; the caller comes back until there are none. */
    if ((size_t)length == sizeof text - 1) {
      char *last = strrchr(text, ' ');
      if (last != NULL) {
        *last = 0;
      }
    }
    return signal_listed(text, signal, spared);
  }
  /* A kernel without this file. */
  int count = 0;
  DIR *processes = opendir("/proc");
  if (processes == NULL) {
    return 0;
  }
  struct dirent *entry;
  while ((entry = readdir(processes)) != NULL) {
    pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
    char *fields = pid > 1 ? stat_fields(pid, text, sizeof text) : NULL;
    if (fields != NULL && strtol(fields + 2, NULL, 10) == parent
        && (spared == NULL || !spared(pid))) {
      kill(pid, signal);
      count++;
    }
  }
  closedir(processes);
  return count;
}

int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    return errno;
  }
  ssize_t count = write(fd, text, strlen(text));
  int problem = count < 0 ? errno : 0;
  close(fd);
  return problem;
}

static bool beside(const char *file, const char *name, char *path, size_t size) {
  const char *end = strrchr(file, '/');
  if (end == NULL || (size_t)(end - file) + strlen(name) + 2 > size) {
    return false;
  }
  snprintf(path, size, "%.*s/%s", (int)(end - file), file, name);
  return true;
}

void kill_cgroup(const char *procs) {
  char path[4096];
  if (beside(procs, "cgroup.kill", path, sizeof path) && write_file(path, "1") == 0) {
    return;
  }
  /* Stopped, none of them forks while they are being listed. */
  bool frozen = beside(procs, "freezer.state", path, sizeof path) && write_file(path, "FROZEN") == 0;
  char pids[16384];
  for (int turn = 0; turn < 64; turn++) {
    if (read_file(procs, pids, sizeof pids) <= 0 || signal_listed(pids, SIGKILL, NULL) == 0) {
      break;
    }
    if (strlen(pids) < sizeof pids / 2 && frozen) {
      break;
    }
  }
  if (frozen) {
    write_file(path, "THAWED");
  }
}

int open_unified(const char *procs) {
  char path[4096];
  struct statfs system;
  if (!beside(procs, "", path, sizeof path)) {
    return -1;
  }
  int fd = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && (fstatfs(fd, &system) != 0 || system.f_type != CGROUP2_SUPER_MAGIC)) {
    close(fd);
    return -1;
  }
  return fd;
}

static int enter(pid_t pid, uint64_t start, const char *name, int kind) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return errno;
  }
  /* If that one is still there now, what was opened is its own. */
  int problem = start_time(pid) != start ? ESRCH : 0;
  if (problem == 0 && setns(fd, kind) != 0) {
    problem = errno;
  }
  close(fd);
  return problem;
}

int enter_network(pid_t pid, uint64_t start) {
  return enter(pid, start, "net", CLONE_NEWNET);
}

int enter_mounts(pid_t pid, uint64_t start, bool *fixed) {
  char text[8192];
  snprintf(text, sizeof text, "/proc/%d/status", (int)pid);
  if (read_file(text, text, sizeof text) <= 0) {
    return ESRCH;
  }
  /* A name of a program has no line of its own. */
  const char *line = strstr(text, "\nNoNewPrivs:\t");
  *fixed = line == NULL || line[13] == '1';
  return enter(pid, start, "mnt", CLONE_NEWNS);
}

void close_from(int first) {
  if (syscall(CALL_CLOSE_RANGE, first, ~0U, 0) == 0) {
    return;
  }
  DIR *open = opendir("/proc/self/fd");
  if (open != NULL) {
    struct dirent *entry;
    while ((entry = readdir(open)) != NULL) {
      int fd = (int)strtol(entry->d_name, NULL, 10);
      if (fd >= first && fd != dirfd(open)) {
        close(fd);
      }
    }
    closedir(open);
    return;
  }
  for (int fd = first; fd < 65536; fd++) {
    close(fd);
  }
}

static bool address_in(int folder, const char *name, struct sockaddr_un *address) {
  memset(address, 0, sizeof *address);
  address->sun_family = AF_UNIX;
  int length = snprintf(
      address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", folder, name);
  return length > 0 && (size_t)length < sizeof address->sun_path;
}

int listen_in(int folder, const char *name) {
  struct sockaddr_un address;
  if (!address_in(folder, name, &address)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  mode_t mask = umask(0177);
  unlinkat(folder, name, 0);
  if (fd >= 0
      && (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 64) != 0)) {
    int problem = errno;
    close(fd);
    errno = problem;
    fd = -1;
  }
  umask(mask);
  return fd;
}

int connect_in(int folder, const char *name) {
  struct sockaddr_un address;
  int fd = address_in(folder, name, &address)
      ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)
      : -1;
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

void rename_process(const char *name) {
  prctl(PR_SET_NAME, name, 0, 0, 0);
}
