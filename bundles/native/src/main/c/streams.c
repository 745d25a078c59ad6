#define _GNU_SOURCE
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif

enum {
  /* By which the task says that descriptors come along. */
  WORD_FILES = 1,
};

static bool piped(const struct streams *streams, int outlet) {
  return streams->outlets[outlet].from >= 0;
}

static int open_slave(int master) {
  int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (slave < 0) {
    char path[32];
    int number;
    if (ioctl(master, TIOCGPTN, &number) != 0) {
      return -1;
    }
    snprintf(path, sizeof path, "/dev/pts/%d", number);
    slave = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  }
  return slave;
}

static bool open_terminal(struct streams *streams, const struct plan *plan) {
  int locked = 0;
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  if (master < 0 || ioctl(master, TIOCSPTLCK, &locked) != 0) {
    return false;
  }
  int slave = open_slave(master);
  int copy = fcntl(master, F_DUPFD_CLOEXEC, 0);
  if (slave < 0 || copy < 0) {
    return false;
  }
  if (plan->switch_user && (fchown(slave, plan->user, (gid_t)-1) != 0 || fchmod(slave, 0620) != 0)) {
    return false;
  }
  streams->outlets[0].from = master;
  streams->input = copy;
  streams->ends[STREAM_INPUT] = slave;
  streams->ends[STREAM_OUTPUT] = slave;
  streams->ends[STREAM_ERRORS] = slave;
  return (plan->rows == 0 && plan->columns == 0)
      || streams_resize(streams, plan->rows, plan->columns);
}

/* A pipe whose end here never blocks. */
static bool open_pipe(int *here, int *there, bool reads) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return false;
  }
  *here = ends[reads ? 0 : 1];
  *there = ends[reads ? 1 : 0];
  return fcntl(*here, F_SETFL, O_NONBLOCK) == 0;
}

bool streams_open(struct streams *streams, const struct plan *plan) {
  const char *files[2] = {plan->output, plan->errors};
  memset(streams, 0, sizeof *streams);
  streams->reach = plan->reach;
  streams->terminal = plan->terminal;
  streams->input = -1;
  streams->folder = -1;
  for (int i = 0; i < 3; i++) {
    streams->ends[i] = -1;
  }
  for (int i = 0; i < 2; i++) {
    struct outlet *outlet = &streams->outlets[i];
    outlet->from = -1;
    outlet->log.file = -1;
    outlet->helper.to = outlet->helper.unread = -1;
    streams->rotations[i] = plan->rotations[i];
    snprintf(streams->names[i], sizeof streams->names[i], "%s", files[i] == NULL ? "" : files[i]);
  }
  if (plan->terminal) {
    if (!open_terminal(streams, plan)) {
      return false;
    }
  } else {
    for (int i = 0; i < 2; i++) {
      if ((plan->reach != REACH_NOBODY || plan->rotations[i].most != 0
           || plan->helpers[i].program != NULL)
          && !open_pipe(&streams->outlets[i].from, &streams->ends[i + 1], true)) {
        return false;
      }
    }
    if (plan->reach != REACH_NOBODY && !open_pipe(&streams->input, &streams->ends[0], false)) {
      return false;
    }
  }
  for (int i = 0; i < 2; i++) {
    streams->outlets[i].logged = piped(streams, i) && files[i] != NULL;
  }
  streams->owner.mask = plan->mask;
  if (plan->switch_user) {
    streams->owner.other = true;
    streams->owner.user = plan->user;
    streams->owner.group = plan->group;
  }
  return true;
}

bool streams_any(const struct streams *streams) {
  return piped(streams, 0) || piped(streams, 1);
}

void streams_take(const struct streams *streams) {
  if (streams->terminal) {
    ioctl(streams->ends[0], TIOCSCTTY, 0);
  }
  if (streams->ends[0] >= 0) {
    dup2(streams->ends[0], 0);
  }
  for (int i = 0; i < 2; i++) {
    bool kept = streams->outlets[streams->terminal ? 0 : i].logged;
    if (streams->ends[i + 1] >= 0 && !kept) {
      dup2(streams->ends[i + 1], i + 1);
    }
  }
}

bool streams_hand_over(const struct streams *streams, int gate) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(FILES_MOST * sizeof(int))];
  } control;
  char word = WORD_FILES;
  struct iovec text = {&word, 1};
  struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
  int files[FILES_MOST];
  size_t count = 0;
  bool any = false;

  for (int i = 0; i < 2; i++) {
    any = any || streams->outlets[i].logged;
  }
  if (!any) {
    return true;
  }
  files[count] = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (files[count++] < 0) {
    return false;
  }
  for (int i = 0; i < 2; i++) {
    if (streams->outlets[i].logged) {
      files[count++] = i + 1;
    }
  }
  memset(&control, 0, sizeof control);
  message.msg_control = control.bytes;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  control.header.cmsg_level = SOL_SOCKET;
  control.header.cmsg_type = SCM_RIGHTS;
  control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
  memcpy(CMSG_DATA(&control.header), files, count * sizeof(int));
  if (sendmsg(gate, &message, MSG_NOSIGNAL) != 1) {
    return false;
  }
  for (int i = 0; i < 2; i++) {
    bool kept = streams->outlets[streams->terminal ? 0 : i].logged;
    if (streams->ends[i + 1] >= 0 && kept && dup2(streams->ends[i + 1], i + 1) < 0) {
      return false;
    }
  }
  return true;
}

void streams_receive(struct streams *streams, const int *files, size_t count) {
  size_t next = 0;
  if (count > 0 && streams->folder < 0) {
    streams->folder = files[next++];
    for (int i = 0; i < 2 && next < count; i++) {
      struct outlet *outlet = &streams->outlets[i];
      if (outlet->logged && outlet->log.file < 0) {
        log_begin(&outlet->log, files[next++], streams->names[i], &streams->rotations[i]);
      }
    }
  }
  while (next < count) {
    close(files[next++]);
  }
}

bool streams_start_helpers(
    struct streams *streams,
    const struct plan *plan,
    const struct rlimit *files,
    char problem[PROBLEM_SIZE]) {
  for (int i = 0; i < 2; i++) {
    if (plan->helpers[i].program != NULL
        && !helper_start(&streams->outlets[i].helper, plan, i, files, problem)) {
      return false;
    }
  }
  return true;
}

void streams_close_ends(struct streams *streams) {
  for (int i = 0; i < 3; i++) {
    if (streams->ends[i] >= 0 && (i == 0 || streams->ends[i] != streams->ends[0])) {
      close(streams->ends[i]);
    }
  }
  for (int i = 0; i < 3; i++) {
    streams->ends[i] = -1;
  }
}

static void close_input(struct streams *streams) {
  if (streams->input >= 0) {
    close(streams->input);
  }
  streams->input = -1;
  buffer_free(&streams->typed);
}

void streams_feed(struct streams *streams) {
  size_t done = 0;
  while (streams->input >= 0 && done < streams->typed.length) {
    ssize_t count = write(streams->input, streams->typed.at + done, streams->typed.length - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno != EAGAIN) {
      close_input(streams);
      return;
    }
    if (count <= 0) {
      break;
    }
    done += (size_t)count;
  }
  buffer_drop(&streams->typed, done);
  if (streams->input_ends && streams->typed.length == 0) {
    streams->input_ends = false;
    close_input(streams);
  }
}

bool streams_resize(struct streams *streams, uint16_t rows, uint16_t columns) {
  struct winsize size = {.ws_row = rows, .ws_col = columns};
  return streams->terminal && streams->input >= 0
      && ioctl(streams->input, TIOCSWINSZ, &size) == 0;
}
