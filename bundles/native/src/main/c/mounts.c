#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "process.h"

/* Where a mount is prepared, in the container's folder, in which nobody else can exchange it. */
#define STAGE "mount"

enum {
  /* Of all architectures, and of headers that do not know it yet. */
  CALL_MOUNT_SETATTR = 442,
  ALL_BELOW = 0x8000,
  ATTRIBUTE_READ_ONLY = 1,

  PROC_PATH = 64,
};

__attribute__((format(printf, 2, 3))) static bool fail(
    char problem[MOUNT_PROBLEM_SIZE], const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem, MOUNT_PROBLEM_SIZE, format, arguments);
  va_end(arguments);
  return false;
}

/* With the rights of the task's user, who may go no further by a mount than without one. */
static int open_as_user(const struct plan *plan, const char *path) {
  if (setgroups(plan->group_count, plan->groups) != 0) {
    return -1;
  }
  setfsgid(plan->group);
  setfsuid(plan->user);
  int fd = -1;
  int problem = EPERM;
  /* Neither says whether it could. */
  if ((uid_t)setfsuid((uid_t)-1) == plan->user && (gid_t)setfsgid((gid_t)-1) == plan->group) {
    fd = open(path, O_PATH | O_CLOEXEC);
    problem = errno;
  }
  setfsuid(geteuid());
  setfsgid(getegid());
  errno = problem;
  return fd;
}

/* Below a path whoever owns what is there may put links, which are not followed. */
static int open_target(const struct mount *mount) {
  int at = open(mount->target, O_PATH | O_CLOEXEC);
  const char *name = mount->below;
  while (at >= 0 && *name != 0) {
    char part[256];
    struct stat found;
    size_t length = strcspn(name, "/");
    if (length >= sizeof part) {
      close(at);
      errno = ENAMETOOLONG;
      return -1;
    }
    memcpy(part, name, length);
    part[length] = 0;
    name += length + (name[length] == '/' ? 1 : 0);
    int next = openat(at, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int problem = errno;
    close(at);
    at = next;
    if (at >= 0 && (fstat(at, &found) != 0 || S_ISLNK(found.st_mode))) {
      close(at);
      at = -1;
      problem = ELOOP;
    }
    errno = problem;
  }
  return at;
}

/* A folder or a file to mount something on for a moment. */
static bool stage_make(int folder, bool directory) {
  if (directory) {
    return mkdirat(folder, STAGE, 0700) == 0;
  }
  int fd = openat(folder, STAGE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return false;
  }
  close(fd);
  return true;
}

/* All that a mount forbids already stays forbidden. */
static bool remount_read_only(const char *stage) {
  static const struct {
    unsigned long has;
    unsigned long flag;
  } kept[] = {
      {ST_NOSUID, MS_NOSUID}, {ST_NODEV, MS_NODEV}, {ST_NOEXEC, MS_NOEXEC},
      {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME}, {ST_RELATIME, MS_RELATIME},
  };
  struct statvfs mounted;
  if (statvfs(stage, &mounted) != 0) {
    return false;
  }
  unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    flags |= (mounted.f_flag & kept[i].has) != 0 ? kept[i].flag : 0;
  }
  return mount(NULL, stage, NULL, flags, NULL) == 0;
}

/*
 * With all that is mounted below it. Where a kernel (before 5.12) or a filter cannot make that for
 * reading only as a whole, a mount for reading only is without what is mounted below.
 */
static bool stage_mount(const char *source, const char *stage, bool read_only) {
  const struct {
    uint64_t set, clear, propagation, user_namespace;
  } attributes = {.set = ATTRIBUTE_READ_ONLY};
  if (mount(source, stage, NULL, MS_BIND | MS_REC, NULL) != 0) {
    return false;
  }
  if (!read_only
      || syscall(CALL_MOUNT_SETATTR, AT_FDCWD, stage, ALL_BELOW, &attributes, sizeof attributes)
          == 0) {
    return true;
  }
  return umount2(stage, MNT_DETACH) == 0 && mount(source, stage, NULL, MS_BIND, NULL) == 0
      && remount_read_only(stage);
}

static bool mount_at(int folder, const struct mount *mounted, int source, int target) {
  char from[PROC_PATH];
  char stage[PROC_PATH];
  char to[PROC_PATH];
  struct stat what;
  struct stat where;
  if (fstat(source, &what) != 0 || fstat(target, &where) != 0) {
    return false;
  }
  if (S_ISDIR(what.st_mode) != S_ISDIR(where.st_mode)) {
    errno = S_ISDIR(what.st_mode) ? ENOTDIR : EISDIR;
    return false;
  }
  snprintf(from, sizeof from, "/proc/self/fd/%d", source);
  snprintf(stage, sizeof stage, "/proc/self/fd/%d/" STAGE, folder);
  snprintf(to, sizeof to, "/proc/self/fd/%d", target);
  if (!stage_make(folder, S_ISDIR(what.st_mode))) {
    return false;
  }
  /* It comes to its place complete: there is no moment in which it could be written to. */
  bool done = stage_mount(from, stage, mounted->read_only)
      && mount(stage, to, NULL, MS_MOVE, NULL) == 0;
  int problem = errno;
  if (!done) {
    umount2(stage, MNT_DETACH);
  }
  unlinkat(folder, STAGE, S_ISDIR(what.st_mode) ? AT_REMOVEDIR : 0);
  errno = problem;
  return done;
}

static bool mount_one(
    const struct plan *plan,
    int folder,
    const struct mount *mounted,
    char problem[MOUNT_PROBLEM_SIZE]) {
  const char *between = *mounted->below == 0 ? "" : "/";
  int source = mounted->as_user && plan->switch_user ? open_as_user(plan, mounted->source)
                                                     : open(mounted->source, O_PATH | O_CLOEXEC);
  if (source < 0) {
    return fail(
        problem,
        "cannot mount '%s': it cannot be reached: %s",
        mounted->source,
        strerror(errno));
  }
  int target = open_target(mounted);
  if (target < 0) {
    fail(
        problem,
        "cannot mount '%s' at '%s%s%s': that cannot be reached: %s",
        mounted->source,
        mounted->target,
        between,
        mounted->below,
        strerror(errno));
  } else if (!mount_at(folder, mounted, source, target)) {
    fail(
        problem,
        "cannot mount '%s' at '%s%s%s': %s",
        mounted->source,
        mounted->target,
        between,
        mounted->below,
        strerror(errno));
    close(target);
    target = -1;
  }
  close(source);
  if (target >= 0) {
    close(target);
  }
  return target >= 0;
}

/* A descriptor of another namespace is no way into this one, so it is opened again. */
static int open_again(const char *path, int folder) {
  struct stat before;
  struct stat now;
  int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0
      && (fstat(folder, &before) != 0 || fstat(fd, &now) != 0 || before.st_dev != now.st_dev
          || before.st_ino != now.st_ino)) {
    close(fd);
    errno = ESTALE;
    return -1;
  }
  return fd;
}

static bool own_namespace(void) {
  return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0;
}

int mounts_test(void) {
  if (own_namespace()) {
    return 0;
  }
  printf("%s\n", strerror(errno));
  return 1;
}

bool mounts_make(const struct plan *plan, int folder, char problem[MOUNT_PROBLEM_SIZE]) {
  bool fixed = false;
  if (plan->mounts_of != 0) {
    int failed = enter_mounts(plan->mounts_of, plan->mounts_of_start, &fixed);
    if (failed != 0) {
      return fail(
          problem,
          "cannot enter the mount namespace of process %d: %s",
          (int)plan->mounts_of,
          strerror(failed));
    }
  }
  if (plan->own_mounts && !own_namespace()) {
    return fail(problem, "cannot make a mount namespace: %s", strerror(errno));
  }
  if (plan->mount_count > 0) {
    int own = open_again(plan->folder, folder);
    if (own < 0) {
      return fail(
          problem, "cannot find the container's folder among its mounts: %s", strerror(errno));
    }
    for (size_t i = 0; i < plan->mount_count; i++) {
      fixed = fixed || plan->mounts[i].fixes_rights;
      if (!mount_one(plan, own, &plan->mounts[i], problem)) {
        return false;
      }
    }
    close(own);
  }
  /* Where it can have a say in what setuid programs find, these give nobody rights. */
  if (fixed && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail(problem, "cannot keep programs from gaining rights: %s", strerror(errno));
  }
  return true;
}
