#define _GNU_SOURCE
#include "shim.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"

enum {
  /* Descriptors of a shim; whatever else it has been born with is closed. */
  FD_PARENT = 3,
  FD_FOLDER = 4,
  FD_FIRST_FREE = 5,

  CLIENTS = 4,
  REASON_SIZE = 512,

  /* How often children that were missed are looked for again, in milliseconds. */
  KILL_AGAIN = 20,
};

struct client {
  struct link link;
  bool waits;
  uint32_t number;
};

struct shim {
  char id[ID_MOST + 1];
  struct link parent;
  struct client clients[CLIENTS];
  int listener;
  int signals;
  int gate;
  pid_t task;
  uint64_t start;
  uint64_t own_start;
  bool let_go;
  bool ended;
  bool failed;
  int status;
};

/* --- The task, before its first instruction --------------------------------------------------- */

/* Before it is let go, what goes wrong is the launch's fault; the shim reports it and ends. */
__attribute__((format(printf, 2, 3))) static _Noreturn void launch_failed(
    int gate, const char *format, ...) {
  char reason[REASON_SIZE];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(reason, sizeof reason, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof reason) {
    length = (int)sizeof reason - 1;
  }
  send(gate, reason, (size_t)length, MSG_NOSIGNAL);
  _exit(125);
}

/* From then on it is the task's, and stands in its stderr if there is one. */
static _Noreturn void task_failed(const char *what, const char *name) {
  int problem = errno;
  dprintf(2, "mezzo: %s '%s': %s\n", what, name, strerror(problem));
  _exit(problem == ENOENT || problem == ENOTDIR ? 127 : 126);
}

/* Never waits for the other end of a fifo that the user has put there. */
static void open_as(const char *path, int flags, int as) {
  int fd = open(path, flags | O_NOCTTY | O_NONBLOCK, 0666);
  if (fd < 0) {
    task_failed("cannot open", path);
  }
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  if (fd != as) {
    dup2(fd, as);
    close(fd);
  }
}

static _Noreturn void task_run(
    struct plan *plan, int gate, const struct rlimit *files, bool in_cgroup) {
  sigset_t none;
  char go;

  setsid();
  /* A process that is born into a cgroup of version 2 needs no moving to that one. */
  for (char **cgroup = plan->cgroups + (in_cgroup ? 1 : 0); *cgroup != NULL; cgroup++) {
    int problem = write_file(*cgroup, "0");
    if (problem != 0) {
      launch_failed(gate, "cannot enter the cgroup of %s: %s", *cgroup, strerror(problem));
    }
  }
  setrlimit(RLIMIT_NOFILE, files);
  for (size_t i = 0; i < plan->limit_count; i++) {
    if (setrlimit(plan->limits[i].resource, &plan->limits[i].value) != 0) {
      launch_failed(gate, "cannot set %s: %s", plan->limits[i].name, strerror(errno));
    }
  }
  if (send(gate, "", 1, MSG_NOSIGNAL) != 1 || recv(gate, &go, 1, 0) != 1) {
    _exit(125);
  }

  if (plan->switch_user
      && (setgroups(plan->group_count, plan->groups) != 0
          || setresgid(plan->group, plan->group, plan->group) != 0
          || setresuid(plan->user, plan->user, plan->user) != 0)) {
    launch_failed(gate, "cannot become user %u: %s", (unsigned)plan->user, strerror(errno));
  }
  umask(plan->mask);
  /* As the user: what that user may not enter or write stays closed, whatever links lead to it. */
  if (chdir(plan->directory) != 0) {
    task_failed("cannot enter", plan->directory);
  }
  open_as(plan->errors, O_WRONLY | O_CREAT | O_APPEND, 2);
  open_as(plan->output, O_WRONLY | O_CREAT | O_APPEND, 1);
  open_as(plan->input == NULL ? "/dev/null" : plan->input, O_RDONLY, 0);
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  close_from(3);
  environ = plan->environment;
  execvp(plan->program, plan->arguments);
  task_failed("cannot run", plan->program);
}

/* --- What the shim writes ----------------------------------------------------------------------- */

/* A file appears whole or not at all. */
static void record(const char *name, const char *text) {
  char next[32];
  snprintf(next, sizeof next, "%s.new", name);
  int fd = openat(FD_FOLDER, next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    return;
  }
  size_t length = strlen(text);
  bool written = write(fd, text, length) == (ssize_t)length;
  close(fd);
  if (written) {
    renameat(FD_FOLDER, next, FD_FOLDER, name);
  }
}

static void report_exit(struct shim *shim, struct buffer *out, uint32_t number) {
  size_t begin = frame_begin(out, TYPE_EXITED, number);
  field_text(out, TAG_CONTAINER, shim->id);
  field_u32(out, TAG_PID, (uint32_t)shim->task);
  field_u32(out, TAG_STATUS, (uint32_t)shim->status);
  frame_end(out, begin);
}

static void report_start(struct shim *shim) {
  struct buffer *out = &shim->parent.out;
  size_t begin = frame_begin(out, TYPE_STARTED, 0);
  field_text(out, TAG_CONTAINER, shim->id);
  field_u32(out, TAG_PID, (uint32_t)shim->task);
  field_u64(out, TAG_START, shim->start);
  field_u32(out, TAG_SHIM, (uint32_t)getpid());
  field_u64(out, TAG_SHIM_START, shim->own_start);
  frame_end(out, begin);
}

static void report_failure(struct shim *shim, const char *reason) {
  struct buffer *out = &shim->parent.out;
  size_t begin = frame_begin(out, TYPE_FAILED, 0);
  field_text(out, TAG_CONTAINER, shim->id);
  field_text(out, TAG_TEXT, reason);
  frame_end(out, begin);
  shim->failed = true;
}

/* Says so on the way out, and waits a moment for it to be read. */
static _Noreturn void finish(struct shim *shim, int code) {
  for (int turn = 0; turn < 50 && shim->parent.fd >= 0; turn++) {
    if (!link_flush(&shim->parent) || shim->parent.out.length == 0) {
      break;
    }
    struct pollfd writable = {.fd = shim->parent.fd, .events = POLLOUT};
    poll(&writable, 1, 20);
  }
  unlinkat(FD_FOLDER, CONTROL, 0);
  _exit(code);
}

static _Noreturn void give_up(struct shim *shim, const char *what) {
  char reason[REASON_SIZE];
  snprintf(reason, sizeof reason, "cannot %s: %s", what, strerror(errno));
  report_failure(shim, reason);
  finish(shim, 1);
}

/* --- What it is asked ----------------------------------------------------------------------------- */

/* The word waits in the socket for a task that is not ready: that saves turns of both. */
static void let_go(struct shim *shim) {
  if (!shim->let_go && shim->gate >= 0) {
    shim->let_go = send(shim->gate, "g", 1, MSG_NOSIGNAL) == 1;
  }
}

static bool answer(struct shim *shim, struct link *link, struct client *client, struct frame *frame) {
  uint32_t signal;
  struct buffer *out = &link->out;
  if (!link->greeted && frame->type != TYPE_HELLO) {
    frame_error(out, frame->number, "a hello comes first");
    return false;
  }
  switch (frame->type) {
    case TYPE_HELLO: {
      const char *problem = hello_problem(frame->body);
      if (problem != NULL) {
        frame_error(out, frame->number, problem);
        return false;
      }
      link->greeted = true;
      frame_hello(out, frame->number, "mezzo-shim");
      return true;
    }
    case TYPE_RELEASE:
      let_go(shim);
      frame_ok(out, frame->number);
      return true;
    case TYPE_SIGNAL:
      if (!body_u32(frame->body, TAG_SIGNAL, &signal) || signal >= NSIG) {
        frame_error(out, frame->number, "field signal: a number of a signal is needed");
      } else if (shim->ended) {
        frame_error(out, frame->number, "the container has ended");
      } else {
        /* Its number stands for it until this process has waited for it. */
        kill(shim->task, (int)signal);
        frame_ok(out, frame->number);
      }
      return true;
    case TYPE_WAIT:
      if (client == NULL) {
        frame_error(out, frame->number, "whoever has made the container is told anyway");
      } else if (shim->ended) {
        report_exit(shim, out, frame->number);
      } else {
        client->waits = true;
        client->number = frame->number;
      }
      return true;
    default:
      frame_error(out, frame->number, "a shim does not know this request");
      return true;
  }
}

/* Whether the connection lives on. */
static bool serve(struct shim *shim, struct link *link, struct client *client) {
  bool open = link_read(link);
  struct frame frame;
  size_t taken;
  int found;
  struct bytes in;
  while (in.at = link->in.at, in.length = link->in.length,
         (found = frame_next(in, &frame, &taken)) == 1) {
    bool welcome = answer(shim, link, client, &frame);
    buffer_drop(&link->in, taken);
    if (!welcome) {
      link_flush(link);
      return false;
    }
  }
  return found == 0 && open && link_flush(link);
}

static void accept_client(struct shim *shim) {
  int fd = accept4(shim->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    return;
  }
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
      && (peer.uid == geteuid() || peer.uid == 0)) {
    for (int i = 0; i < CLIENTS; i++) {
      struct client *client = &shim->clients[i];
      if (client->link.fd < 0) {
        memset(client, 0, sizeof *client);
        client->link.fd = fd;
        return;
      }
    }
  }
  close(fd);
}

/* --- What happens ------------------------------------------------------------------------------------ */

static void hear_task(struct shim *shim);

static void task_ended(struct shim *shim, int status) {
  char line[32];
  if (shim->gate >= 0) {
    /* Its last words come first. */
    hear_task(shim);
  }
  shim->ended = true;
  shim->status = status;
  if (shim->failed) {
    return;
  }
  snprintf(line, sizeof line, "%d\n", status);
  record("status", line);
  report_exit(shim, &shim->parent.out, 0);
  for (int i = 0; i < CLIENTS; i++) {
    struct client *client = &shim->clients[i];
    if (client->link.fd >= 0 && client->waits) {
      report_exit(shim, &client->link.out, client->number);
    }
  }
}

/* Waits for whoever has ended. False: there is nobody left to wait for. */
static bool reap(struct shim *shim) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
      return true;
    }
    if (pid < 0) {
      return false;
    }
    if (pid == shim->task) {
      task_ended(shim, status);
    }
  }
}

/* The task has something to say before it is let go: that it is ready, or why it never will be. */
static void hear_task(struct shim *shim) {
  char word[REASON_SIZE];
  ssize_t count;
  do {
    count = recv(shim->gate, word, sizeof word - 1, MSG_DONTWAIT);
    /* A task that ends with the word to go unread resets the socket; what it said comes after. */
  } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count < 0 && errno == EAGAIN) {
    return;
  }
  if (count == 1 && word[0] == 0) {
    report_start(shim);
    return;
  }
  if (count > 0) {
    word[count] = 0;
    report_failure(shim, word);
  }
  close(shim->gate);
  shim->gate = -1;
}

static _Noreturn void watch(struct shim *shim) {
  for (;;) {
    struct pollfd polled[4 + CLIENTS] = {
        {.fd = shim->signals, .events = POLLIN},
        {.fd = shim->parent.fd, .events = POLLIN},
        {.fd = shim->listener, .events = POLLIN},
        {.fd = shim->gate, .events = POLLIN},
    };
    for (int i = 0; i < CLIENTS; i++) {
      polled[4 + i].fd = shim->clients[i].link.fd;
      polled[4 + i].events = POLLIN;
      if (shim->clients[i].link.out.length > 0) {
        polled[4 + i].events |= POLLOUT;
      }
    }
    if (shim->parent.out.length > 0) {
      polled[1].events |= POLLOUT;
    }
    if (poll(polled, 4 + CLIENTS, shim->ended ? KILL_AGAIN : -1) < 0 && errno != EINTR) {
      _exit(1);
    }

    /* First what the task says: it may have ended since. */
    if (polled[3].revents != 0) {
      hear_task(shim);
    }
    if (polled[0].revents != 0 || shim->ended) {
      struct signalfd_siginfo ignored[8];
      while (read(shim->signals, ignored, sizeof ignored) == (ssize_t)sizeof ignored) {
      }
      if (!reap(shim)) {
        for (int i = 0; i < CLIENTS; i++) {
          if (shim->clients[i].link.fd >= 0) {
            link_flush(&shim->clients[i].link);
          }
        }
        finish(shim, 0);
      }
    }
    if (shim->parent.fd >= 0 && (polled[1].revents != 0 || shim->parent.out.length > 0)
        && !serve(shim, &shim->parent, NULL)) {
      link_close(&shim->parent);
    }
    if (shim->ended) {
      /* What the first process leaves behind ends with it: all of it comes to be a child here. */
      signal_children(getpid(), SIGKILL, NULL);
    }
    if (polled[2].revents != 0) {
      accept_client(shim);
    }
    for (int i = 0; i < CLIENTS; i++) {
      struct client *client = &shim->clients[i];
      if (client->link.fd >= 0 && (polled[4 + i].revents != 0 || client->link.out.length > 0)
          && !serve(shim, &client->link, client)) {
        link_close(&client->link);
      }
    }
  }
}

/*
 * An agent that gives up on a container moves its folder away. It then reads what is in there: a
 * pid that was written before the folder moved is found, and one that was not must not run.
 */
static bool still_there(const char *folder) {
  struct stat opened;
  struct stat named;
  return fstat(FD_FOLDER, &opened) == 0 && stat(folder, &named) == 0
      && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Moves a descriptor to where it is expected. */
static void place(int fd, int as) {
  if (fd != as) {
    dup3(fd, as, O_CLOEXEC);
  }
}

_Noreturn void shim_run(struct plan *plan, int parent, const struct rlimit *files) {
  struct shim shim = {.listener = -1, .signals = -1, .gate = -1};
  sigset_t all;
  int gate[2];

  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  setsid();
  rename_process("mezzo-shim");
  prctl(PR_SET_PDEATHSIG, 0);
  /* The container's orphans come here, not to some init, so that none of them is missed. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);

  place(parent, FD_PARENT);
  shim.parent.fd = FD_PARENT;
  shim.parent.greeted = true;
  for (int i = 0; i < CLIENTS; i++) {
    shim.clients[i].link.fd = -1;
  }
  snprintf(shim.id, sizeof shim.id, "%s", plan->id);
  int folder = open(plan->folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (folder < 0) {
    give_up(&shim, "open the container's folder");
  }
  place(folder, FD_FOLDER);
  close_from(FD_FIRST_FREE);

  shim.listener = listen_in(FD_FOLDER, CONTROL);
  if (shim.listener < 0) {
    give_up(&shim, "make the control socket");
  }
  shim.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  if (shim.signals < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate) != 0) {
    give_up(&shim, "watch the task");
  }

  int cgroup = *plan->cgroups == NULL ? -1 : open_unified(*plan->cgroups);
  bool in_cgroup;
  shim.task = spawn_process(cgroup, &in_cgroup);
  if (shim.task < 0) {
    give_up(&shim, "fork");
  }
  if (shim.task == 0) {
    close(gate[0]);
    task_run(plan, gate[1], files, in_cgroup);
  }
  close(gate[1]);
  shim.gate = gate[0];
  if (cgroup >= 0) {
    close(cgroup);
  }

  char line[128];
  shim.start = start_time(shim.task);
  shim.own_start = start_time(getpid());
  snprintf(
      line,
      sizeof line,
      "%d %llu %d %llu\n",
      (int)shim.task,
      (unsigned long long)shim.start,
      (int)getpid(),
      (unsigned long long)shim.own_start);
  record("pid", line);
  if (!still_there(plan->folder)) {
    kill(shim.task, SIGKILL);
    errno = ENOENT;
    give_up(&shim, "find the container's folder where it was");
  }
  if (!plan->hold) {
    let_go(&shim);
  }
  /* The task's secrets are its own from here on. */
  plan_free(plan);
  watch(&shim);
}
