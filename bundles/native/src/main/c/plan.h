/* What a LAUNCH asks for, as data. */
#ifndef MEZZO_PLAN_H
#define MEZZO_PLAN_H

#include <sys/resource.h>
#include <sys/types.h>

#include "wire.h"

enum {
  ID_MOST = 2047,
  RLIMITS_MOST = 16,
  GROUPS_MOST = 65536,
  PROBLEM_SIZE = 256,
  LOG_NAME_MOST = 200,
  LOG_LEAST = 4096,
  OLDER_MOST = 1000,
  MOUNTS_MOST = 1024,
};

struct limit {
  int resource;
  const char *name;
  struct rlimit value;
};

/* Who can be at the other end of what a container reads and writes. */
enum reach {
  REACH_NOBODY = 0,
  REACH_ATTACHABLE = 1,
  /* Its command does not begin before somebody is there for its output. */
  REACH_AWAITED = 2,
};

/* How a file of output is kept small; with most 0 it is not. */
struct rotation {
  uint64_t most;
  uint32_t older;
};

/* What reads a stream outside of the container; without a program nothing does. */
struct helper_plan {
  char *program;
  /* Each ends with a null. */
  char **arguments;
  char **environment;
};

/* A bind mount, with all that is mounted below its source. */
struct mount {
  const char *source;
  const char *target;
  /* Where it is below that, on a way without links; empty: there itself. */
  const char *below;
  bool read_only;
  /* Its source is what the task's user can reach. */
  bool as_user;
  /* No program of the task gains rights by being setuid. */
  bool fixes_rights;
};

struct plan {
  char *id;
  char *folder;
  char *program;
  char *directory;
  char *input;
  char *output;
  char *errors;
  /* Each ends with a null. */
  char **arguments;
  char **environment;
  char **cgroups;
  bool switch_user;
  uid_t user;
  gid_t group;
  gid_t *groups;
  size_t group_count;
  struct limit limits[RLIMITS_MOST];
  size_t limit_count;
  bool hold;
  mode_t mask;
  enum reach reach;
  bool terminal;
  uint16_t rows;
  uint16_t columns;
  /* Of output and of errors. */
  struct rotation rotations[2];
  struct helper_plan helpers[2];
  /* In whose network it is, by number and start; 0: in the spawner's. */
  pid_t network;
  uint64_t network_start;
  /* The same of mounts. */
  pid_t mounts_of;
  uint64_t mounts_of_start;
  /* Whether it has a mount namespace for itself, which begins as the one where it is. */
  bool own_mounts;
  struct mount *mounts;
  size_t mount_count;

  /* All of the above that is text, in pages of its own. */
  void *arena;
  size_t arena_size;
};

/*
 * Takes a plan out of the body of a LAUNCH. A plan with something in it that is not known here is
 * refused, because what would be left out may be what makes the container safe. False: problem
 * says why, naming the field or feature, and there is nothing to free.
 */
bool plan_parse(struct bytes body, struct plan *plan, char problem[PROBLEM_SIZE]);

/* The size of a window, as fields have it; false: it is none. */
bool parse_window(struct bytes value, uint16_t *rows, uint16_t *columns);

/* Gives its pages back; in a fork without having touched them. */
void plan_free(struct plan *plan);

#endif
