/*
 * What comes out of a container and goes into it where its files are not opened by itself: pipes or
 * a terminal whose other ends its shim has.
 */
#ifndef MEZZO_STREAMS_H
#define MEZZO_STREAMS_H

#include "helper.h"
#include "log.h"

enum {
  /* Of output that nobody has read yet, and of input that the container has not. */
  KEPT_MOST = 64 << 10,
  TYPED_MOST = 64 << 10,
  DATA_MOST = 64 << 10,

  FILES_MOST = 3,
};

/* One stream of output. */
struct outlet {
  /* What it is read from; -1: it is at its end, or none of the shim's. */
  int from;
  bool logged;
  struct log log;
  /* While it reads, it gets what the log would. */
  struct helper helper;
  struct buffer kept;
};

struct streams {
  enum reach reach;
  bool terminal;
  /* 0 for output, 1 for errors; a terminal has the first. */
  struct outlet outlets[2];
  /* -1: it is closed. */
  int input;
  struct buffer typed;
  bool input_ends;
  /* Where logs are; -1: none of them needs it. */
  int folder;
  struct owner owner;
  char names[2][LOG_NAME_MOST + 1];
  struct rotation rotations[2];
  /* The task's ends, until it has them: input, output, errors. -1: it has its own. */
  int ends[3];
};

/* Makes what a plan asks for. False: errno says why not. */
bool streams_open(struct streams *streams, const struct plan *plan);

/* Whether any of it comes by this process. */
bool streams_any(const struct streams *streams);

/*
 * In the task, as its user: takes those ends whose output is not kept, so that what goes wrong from
 * here on is heard, and the input.
 */
void streams_take(const struct streams *streams);

/*
 * In the task, which has opened its files as 1 and 2 in its directory: hands those that the shim is
 * to write over to it, and takes the ends instead. False: errno says why not.
 */
bool streams_hand_over(const struct streams *streams, int gate);

/* In the shim: what the task has handed over. Files that are not expected are closed. */
void streams_receive(struct streams *streams, const int *files, size_t count);

/*
 * In the shim, while the task waits: starts those programs that are to read what it writes. False:
 * problem says why not.
 */
bool streams_start_helpers(
    struct streams *streams,
    const struct plan *plan,
    const struct rlimit *files,
    char problem[PROBLEM_SIZE]);

/* In the shim, once the task is no fork of it any more. */
void streams_close_ends(struct streams *streams);

/* Puts waiting input on its way. */
void streams_feed(struct streams *streams);

/* Gives the terminal another size. */
bool streams_resize(struct streams *streams, uint16_t rows, uint16_t columns);

#endif
