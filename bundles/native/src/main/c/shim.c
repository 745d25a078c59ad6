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

#include "mounts.h"
#include "process.h"
#include "streams.h"

enum {
  /* Descriptors of a shim; whatever else it has been born with is closed. */
  FD_PARENT = 3,
  FD_FOLDER = 4,
  FD_FIRST_FREE = 5,

  CLIENTS = 16,
  REASON_SIZE = 512,

  /* How far behind somebody may be who reads output, while others go on. */
  BEHIND_MOST = 1 << 20,
  CHUNK = 32 << 10,
  /* What is read at most of what may be written without end. */
  LAST_MOST = 1 << 20,
  /* How long those who read get for each further piece once all is over, in milliseconds. */
  LINGER = 30000,

  /* How often children that were missed are looked for again, in milliseconds. */
  KILL_AGAIN = 20,

  /* How long helpers may read and work on once nothing else is left, in milliseconds. */
  HELPER_LINGER = 5000,
};

struct client {
  struct link link;
  bool waits;
  uint32_t number;
  /* Which output it is attached to, by the numbers of streams. */
  bool reads[3];
  /* Whether the input is its own. */
  bool writes;
  /* It has more input than there is room for, and is not listened to meanwhile. */
  bool paused;
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
  /* What it is to wait for beside the word of the agent: somebody for its output. */
  bool held;
  bool awaits;
  struct streams streams;
  /* Nothing of the container is left, and output is at its end. */
  bool empty;
  bool told_end;
  long deadline;
  /* Those who read its output outside of it were there, and how long they may be. */
  bool helped;
  long helper_deadline;
};

/* With which its lines in files of others begin. */
static const char SPEAKER[] = "mezzo: ";

/* Processes that do not end with the container; 0: none. One shim is one process. */
static pid_t helpers[2];

static bool is_helper(pid_t pid) {
  return pid == helpers[0] || pid == helpers[1];
}

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
    struct plan *plan,
    const struct streams *streams,
    int gate,
    const struct rlimit *files,
    bool in_cgroup) {
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
  if (plan->network != 0) {
    int problem = enter_network(plan->network, plan->network_start);
    if (problem != 0) {
      launch_failed(
          gate,
          "cannot enter the network of process %d: %s",
          (int)plan->network,
          strerror(problem));
    }
  }
  char unmounted[MOUNT_PROBLEM_SIZE];
  if (!mounts_make(plan, FD_FOLDER, unmounted)) {
    launch_failed(gate, "%s", unmounted);
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
  streams_take(streams);
  /* As the user: what that user may not enter or write stays closed, whatever links lead to it. */
  if (chdir(plan->directory) != 0) {
    task_failed("cannot enter", plan->directory);
  }
  if (plan->errors != NULL) {
    open_as(plan->errors, O_WRONLY | O_CREAT | O_APPEND, 2);
  }
  if (plan->output != NULL) {
    open_as(plan->output, O_WRONLY | O_CREAT | O_APPEND, 1);
  }
  if (plan->reach == REACH_NOBODY) {
    open_as(plan->input == NULL ? "/dev/null" : plan->input, O_RDONLY, 0);
  }
  if (!streams_hand_over(streams, gate)) {
    task_failed("cannot hand over the output of", plan->program);
  }
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
  signal_children(getpid(), SIGKILL, NULL);
  finish(shim, 1);
}

/* --- What it is asked ----------------------------------------------------------------------------- */

/* The word waits in the socket for a task that is not ready: that saves turns of both. */
static void let_go(struct shim *shim) {
  if (!shim->let_go && !shim->held && !shim->awaits && shim->gate >= 0) {
    shim->let_go = send(shim->gate, "g", 1, MSG_NOSIGNAL) == 1;
  }
}

static void send_output(
    struct client *client, enum stream stream, const uint8_t *at, size_t length) {
  uint8_t number[4] = {0, 0, 0, (uint8_t)stream};
  size_t begin = frame_begin(&client->link.out, TYPE_OUTPUT, 0);
  field_bytes(&client->link.out, TAG_STREAM, number, sizeof number);
  field_bytes(&client->link.out, TAG_DATA, at, length);
  frame_end(&client->link.out, begin);
}

static bool reads(const struct client *client) {
  return client->link.fd >= 0 && (client->reads[STREAM_OUTPUT] || client->reads[STREAM_ERRORS]);
}

/* All output was sent, or, with a text, it will not be. */
static void send_end(struct client *client, const char *text) {
  size_t begin = frame_begin(&client->link.out, TYPE_END, 0);
  if (text != NULL) {
    field_text(&client->link.out, TAG_TEXT, text);
  }
  frame_end(&client->link.out, begin);
  client->reads[STREAM_OUTPUT] = client->reads[STREAM_ERRORS] = false;
}

/* Which streams somebody wants; output alone unless it says so. */
static bool wanted_streams(struct bytes body, bool wanted[3]) {
  struct field field;
  bool any = false;
  memset(wanted, 0, 3 * sizeof *wanted);
  while (field_next(&body, &field) == 1) {
    uint32_t stream;
    if (field.tag != TAG_STREAM) {
      continue;
    }
    if (!bytes_u32(field.value, &stream) || stream > STREAM_ERRORS) {
      return false;
    }
    wanted[stream] = true;
    any = true;
  }
  if (!any) {
    wanted[STREAM_OUTPUT] = wanted[STREAM_ERRORS] = true;
  }
  return true;
}

static void attach(struct shim *shim, struct client *client, struct frame *frame) {
  struct streams *streams = &shim->streams;
  struct buffer *out = &client->link.out;
  bool wanted[3];
  if (!wanted_streams(frame->body, wanted)) {
    frame_error(out, frame->number, "field stream: the streams are 0, 1 and 2");
    return;
  }
  if (streams->reach == REACH_NOBODY) {
    frame_obstacle(
        out,
        frame->number,
        OBSTACLE_NOTHING_THERE,
        "the container was launched without anything to attach to");
    return;
  }
  if (shim->told_end || (shim->ended && wanted[STREAM_INPUT])) {
    frame_obstacle(out, frame->number, OBSTACLE_ENDED, "the container has ended");
    return;
  }
  for (int i = 0; i < CLIENTS && wanted[STREAM_INPUT]; i++) {
    if (shim->clients[i].link.fd >= 0 && shim->clients[i].writes) {
      frame_obstacle(
          out, frame->number, OBSTACLE_TAKEN, "somebody is attached to the container's input");
      return;
    }
  }
  frame_ok(out, frame->number);
  client->writes = client->writes || wanted[STREAM_INPUT];
  for (int i = 0; i < 2; i++) {
    struct outlet *outlet = &streams->outlets[i];
    if (!wanted[i + 1]) {
      continue;
    }
    client->reads[i + 1] = true;
    for (size_t at = 0; at < outlet->kept.length; at += CHUNK) {
      size_t rest = outlet->kept.length - at;
      send_output(
          client, (enum stream)(i + 1), outlet->kept.at + at, rest < CHUNK ? rest : CHUNK);
    }
    buffer_free(&outlet->kept);
  }
  if (reads(client)) {
    shim->awaits = false;
    let_go(shim);
  }
}

/* False: it waits until there is room. */
static bool take_input(struct shim *shim, struct client *client, struct frame *frame) {
  struct streams *streams = &shim->streams;
  struct buffer *out = &client->link.out;
  struct bytes data;
  if (!client->writes) {
    frame_error(out, frame->number, "attach to the input first");
  } else if (frame->type == TYPE_RESIZE) {
    struct bytes window;
    uint16_t rows;
    uint16_t columns;
    if (!body_find(frame->body, TAG_WINDOW, &window) || !parse_window(window, &rows, &columns)) {
      frame_error(out, frame->number, "field window: two numbers up to 65535 are needed");
    } else if (!streams_resize(streams, rows, columns)) {
      frame_error(out, frame->number, "the container has no terminal");
    } else {
      frame_ok(out, frame->number);
    }
  } else if (streams->input < 0 || shim->ended) {
    frame_error(out, frame->number, "the container takes no more input");
  } else if (streams->typed.length >= TYPED_MOST || streams->input_ends) {
    return false;
  } else if (frame->type == TYPE_CLOSE_INPUT) {
    /* Who leaves a terminal leaves it open: its end of a file is a character that is typed. */
    if (!streams->terminal) {
      streams->input_ends = true;
      streams_feed(streams);
    }
    frame_ok(out, frame->number);
  } else if (!body_find(frame->body, TAG_DATA, &data) || data.length > DATA_MOST) {
    frame_error(out, frame->number, "field data: up to 65536 bytes are needed");
  } else {
    buffer_add(&streams->typed, data.at, data.length);
    streams_feed(streams);
    frame_ok(out, frame->number);
  }
  return true;
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
      shim->held = false;
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
    case TYPE_ATTACH:
      if (client == NULL) {
        frame_error(out, frame->number, "a connection of one's own is needed to attach");
      } else {
        attach(shim, client, frame);
      }
      return true;
    case TYPE_INPUT:
    case TYPE_CLOSE_INPUT:
    case TYPE_RESIZE:
      if (client == NULL) {
        frame_error(out, frame->number, "a connection of one's own is needed for input");
      } else {
        client->paused = !take_input(shim, client, frame);
      }
      return true;
    default:
      frame_error(out, frame->number, "a shim does not know this request");
      return true;
  }
}

/* Whether the connection lives on. */
static bool serve(struct shim *shim, struct link *link, struct client *client) {
  bool open = client != NULL && client->paused ? true : link_read(link);
  struct frame frame;
  size_t taken;
  int found;
  struct bytes in;
  while (in.at = link->in.at, in.length = link->in.length,
         (found = frame_next(in, &frame, &taken)) == 1) {
    bool welcome = answer(shim, link, client, &frame);
    if (client != NULL && client->paused) {
      found = 0;
      break;
    }
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
    struct buffer full = {0};
    frame_obstacle(&full, 0, OBSTACLE_TOO_MANY, "too many are connected with the container");
    if (!full.failed) {
      send(fd, full.at, full.length, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    buffer_free(&full);
  }
  close(fd);
}

/* --- What comes out of it ---------------------------------------------------------------------------- */

static long now_milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Agents are told once of each helper, by the spawner that there was from the beginning. */
static void report_helper(struct shim *shim, int number, const char *line) {
  struct helper *helper = &shim->streams.outlets[number].helper;
  struct buffer *out = &shim->parent.out;
  const char *text = line + sizeof SPEAKER - 1;
  if (helper->told || shim->parent.fd < 0) {
    return;
  }
  helper->told = true;
  size_t begin = frame_begin(out, TYPE_HELPER_LOST, 0);
  field_text(out, TAG_CONTAINER, shim->id);
  field_u32(out, TAG_STREAM, (uint32_t)number + STREAM_OUTPUT);
  field_bytes(out, TAG_TEXT, text, strcspn(text, "\n"));
  frame_end(out, begin);
}

/* What became of a helper: a line of its own in the file of its stream, and word to agents. */
__attribute__((format(printf, 3, 4))) static void note(
    struct shim *shim, int number, const char *format, ...) {
  struct streams *streams = &shim->streams;
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (length >= (int)sizeof line) {
    length = (int)sizeof line - 1;
  }
  log_write(
      &streams->outlets[number].log,
      streams->folder,
      &streams->owner,
      (const uint8_t *)line,
      (size_t)length);
  report_helper(shim, number, line);
}

/* What a helper has not read goes to the file of its stream. */
static void keep_unread(struct shim *shim, int number) {
  static uint8_t chunk[CHUNK];
  struct streams *streams = &shim->streams;
  struct outlet *outlet = &streams->outlets[number];
  struct helper *helper = &outlet->helper;
  bool told = false;
  while (helper->unread >= 0 || helper->waiting.length > 0) {
    ssize_t count = helper->unread < 0 ? 0 : read(helper->unread, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (!told && (count > 0 || helper->waiting.length > 0)) {
      told = true;
      note(
          shim,
          number,
          "mezzo: the output helper '%s' has not read what follows\n",
          helper->name);
    }
    if (count > 0) {
      log_write(&outlet->log, streams->folder, &streams->owner, chunk, (size_t)count);
      continue;
    }
    log_write(
        &outlet->log, streams->folder, &streams->owner, helper->waiting.at, helper->waiting.length);
    buffer_free(&helper->waiting);
    if (helper->unread >= 0) {
      close(helper->unread);
      helper->unread = -1;
    }
  }
}

/* A helper reads no more, and all that comes from here on is for the file of the stream. */
static void helper_lost(struct shim *shim, int number) {
  struct helper *helper = &shim->streams.outlets[number].helper;
  helper_close(helper);
  if (helper->unread < 0) {
    note(
        shim,
        number,
        "mezzo: the output helper '%s' reads no more; what its pipe held is missing here: %s\n",
        helper->name,
        strerror(errno));
  } else {
    note(shim, number, "mezzo: the output helper '%s' reads no more\n", helper->name);
  }
  keep_unread(shim, number);
}

static void helper_ended(struct shim *shim, int number, int status) {
  struct helper *helper = &shim->streams.outlets[number].helper;
  helper->pid = 0;
  helpers[number] = 0;
  if (helper->killed) {
    return;
  }
  if (WIFSIGNALED(status)) {
    note(
        shim,
        number,
        "mezzo: the output helper '%s' was killed by signal %d\n",
        helper->name,
        WTERMSIG(status));
  } else if (WEXITSTATUS(status) != 0 || !shim->empty) {
    note(
        shim,
        number,
        "mezzo: the output helper '%s' ended with status %d\n",
        helper->name,
        WEXITSTATUS(status));
  }
}

/*
 * Nothing else is left. True: helpers have ended by themselves or have had their time, nothing is
 * left of them, and what they have not read is kept.
 */
static bool helpers_over(struct shim *shim) {
  bool left = false;
  if (!shim->helped) {
    return true;
  }
  if (shim->helper_deadline == 0) {
    shim->helper_deadline = now_milliseconds() + HELPER_LINGER;
  }
  bool late = now_milliseconds() >= shim->helper_deadline;
  for (int i = 0; i < 2; i++) {
    struct outlet *outlet = &shim->streams.outlets[i];
    struct helper *helper = &outlet->helper;
    if (helper->to >= 0 && outlet->from < 0 && helper->waiting.length == 0) {
      helper_close(helper);
    }
    if (late && helper->pid > 0 && !helper->killed) {
      helper->killed = true;
      note(
          shim,
          i,
          "mezzo: the output helper '%s' did not end within %d s of its container and is killed\n",
          helper->name,
          HELPER_LINGER / 1000);
    }
    left = left || helper->pid > 0 || helper->to >= 0;
  }
  if ((late || !left) && signal_children(getpid(), SIGKILL, NULL) > 0) {
    return false;
  }
  for (int i = 0; i < 2 && !left; i++) {
    keep_unread(shim, i);
  }
  return !left;
}

static bool files_open(const struct shim *shim, const struct outlet *outlet) {
  return outlet->log.file >= 0 || shim->gate < 0;
}

/* Whether anybody can take more of it: the pace is that of whoever is fastest. */
static bool has_room(struct shim *shim, int number) {
  struct outlet *outlet = &shim->streams.outlets[number];
  bool any = false;
  if (outlet->from < 0) {
    return false;
  }
  if (outlet->logged) {
    /* Not before the task has opened its files. */
    return files_open(shim, outlet)
        && (outlet->helper.to < 0 || outlet->helper.waiting.length < KEPT_MOST);
  }
  for (int i = 0; i < CLIENTS; i++) {
    struct client *client = &shim->clients[i];
    if (client->link.fd >= 0 && client->reads[number + 1]) {
      any = true;
      if (client->link.out.length < BEHIND_MOST) {
        return true;
      }
    }
  }
  return !any && outlet->kept.length < KEPT_MOST;
}

static void deliver(struct shim *shim, int number, const uint8_t *at, size_t length) {
  struct streams *streams = &shim->streams;
  struct outlet *outlet = &streams->outlets[number];
  bool any = false;
  if (outlet->helper.to >= 0) {
    buffer_add(&outlet->helper.waiting, at, length);
    if (!helper_feed(&outlet->helper)) {
      helper_lost(shim, number);
    }
  } else if (outlet->logged) {
    log_write(&outlet->log, streams->folder, &streams->owner, at, length);
  }
  for (int i = 0; i < CLIENTS; i++) {
    struct client *client = &shim->clients[i];
    if (client->link.fd < 0 || !client->reads[number + 1]) {
      continue;
    }
    any = true;
    if (client->link.out.length < BEHIND_MOST) {
      send_output(client, (enum stream)(number + 1), at, length);
    } else {
      send_end(client, "its reader fell too far behind, and others went on");
    }
  }
  if (!any && !outlet->logged) {
    buffer_add(&outlet->kept, at, length);
  }
}

/* Reads once. False: there is nothing now, or no more at all. */
static bool draw(struct shim *shim, int number) {
  static uint8_t chunk[CHUNK];
  struct outlet *outlet = &shim->streams.outlets[number];
  ssize_t count = read(outlet->from, chunk, sizeof chunk);
  if (count > 0) {
    deliver(shim, number, chunk, (size_t)count);
    return true;
  }
  if (count < 0 && errno == EINTR) {
    return true;
  }
  if (count == 0 || errno != EAGAIN || shim->empty) {
    /* A terminal that nobody has open any more fails. One who has it elsewhere is none of ours. */
    close(outlet->from);
    outlet->from = -1;
  }
  return false;
}

/* What the first process has written is in its files before anybody knows that it has ended. */
static void draw_written(struct shim *shim) {
  for (int i = 0; i < 2; i++) {
    size_t most = LAST_MOST / CHUNK;
    while (shim->streams.outlets[i].logged && has_room(shim, i) && most-- > 0 && draw(shim, i)) {
    }
  }
}

/* Nothing runs any more. True: what was written is with those who want it, or with nobody. */
static bool all_delivered(struct shim *shim) {
  struct streams *streams = &shim->streams;
  bool waiting = false;
  if (!shim->empty) {
    shim->empty = true;
    shim->deadline = now_milliseconds() + LINGER;
  }
  for (int i = 0; i < 2; i++) {
    size_t most = LAST_MOST / CHUNK;
    while (has_room(shim, i) && most-- > 0 && draw(shim, i)) {
    }
    struct outlet *outlet = &streams->outlets[i];
    if (outlet->from >= 0 && outlet->helper.to < 0
        && (outlet->logged || most == 0 || outlet->kept.length >= KEPT_MOST)) {
      close(outlet->from);
      outlet->from = -1;
    }
  }
  bool over = streams->outlets[0].from < 0 && streams->outlets[1].from < 0;
  for (int i = 0; i < CLIENTS; i++) {
    struct client *client = &shim->clients[i];
    if (over && reads(client)) {
      send_end(client, NULL);
    }
    size_t before = client->link.out.length;
    if (client->link.fd >= 0 && before > 0) {
      if (!link_flush(&client->link)) {
        link_close(&client->link);
      } else if (client->link.out.length > 0) {
        waiting = true;
      }
      if (client->link.out.length < before) {
        shim->deadline = now_milliseconds() + LINGER;
      }
    }
  }
  shim->told_end = over;
  return (over && !waiting) || now_milliseconds() > shim->deadline;
}

/* --- What happens ------------------------------------------------------------------------------------ */

static bool hear_task(struct shim *shim);

static void task_ended(struct shim *shim, int status) {
  char line[32];
  /* Its last words come first. */
  while (shim->gate >= 0 && hear_task(shim)) {
  }
  draw_written(shim);
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

/* Waits for whoever has ended. False: there is nobody left to wait for, but helpers. */
static bool reap(struct shim *shim) {
  for (;;) {
    int status;
    pid_t pid = waitpid(-1, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR)) {
      return !shim->helped || !shim->ended || signal_children(getpid(), 0, is_helper) > 0;
    }
    if (pid < 0) {
      return false;
    }
    if (pid == shim->task) {
      task_ended(shim, status);
    }
    for (int i = 0; i < 2; i++) {
      if (pid == shim->streams.outlets[i].helper.pid) {
        helper_ended(shim, i, status);
      }
    }
  }
}

/*
 * The task has something to say before it is a command: that it is ready, what it has opened, or why
 * it never will be. False: there is nothing more now.
 */
static bool hear_task(struct shim *shim) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(FILES_MOST * sizeof(int))];
  } control;
  char word[REASON_SIZE];
  struct iovec text = {word, sizeof word - 1};
  struct msghdr message;
  ssize_t count;
  do {
    memset(&message, 0, sizeof message);
    message.msg_iov = &text;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    count = recvmsg(shim->gate, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    /* A task that ends with the word to go unread resets the socket; what it said comes after. */
  } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count < 0 && errno == EAGAIN) {
    return false;
  }
  struct cmsghdr *header = count > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (header != NULL && header->cmsg_type == SCM_RIGHTS) {
    int files[FILES_MOST];
    size_t given = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(files, CMSG_DATA(header), given * sizeof(int));
    streams_receive(&shim->streams, files, given);
    return true;
  }
  if (count == 1 && word[0] == 0) {
    report_start(shim);
    return true;
  }
  if (count > 0) {
    word[count] = 0;
    report_failure(shim, word);
  }
  close(shim->gate);
  shim->gate = -1;
  return false;
}

static _Noreturn void watch(struct shim *shim) {
  for (;;) {
    struct pollfd polled[4 + CLIENTS + 5] = {
        {.fd = shim->signals, .events = POLLIN},
        {.fd = shim->parent.fd, .events = POLLIN},
        {.fd = shim->listener, .events = POLLIN},
        {.fd = shim->gate, .events = POLLIN},
    };
    for (int i = 0; i < CLIENTS; i++) {
      polled[4 + i].fd = shim->clients[i].link.fd;
      polled[4 + i].events = shim->clients[i].paused ? 0 : POLLIN;
      if (shim->clients[i].link.out.length > 0) {
        polled[4 + i].events |= POLLOUT;
      }
    }
    if (shim->parent.out.length > 0) {
      polled[1].events |= POLLOUT;
    }
    struct streams *streams = &shim->streams;
    struct pollfd *outlets = polled + 4 + CLIENTS;
    for (int i = 0; i < 2; i++) {
      outlets[i].fd = has_room(shim, i) ? streams->outlets[i].from : -1;
      outlets[i].events = POLLIN;
    }
    outlets[2].fd = streams->typed.length > 0 ? streams->input : -1;
    outlets[2].events = POLLOUT;
    struct pollfd *feeds = outlets + 3;
    for (int i = 0; i < 2; i++) {
      struct outlet *outlet = &streams->outlets[i];
      /* Before there is a file, what is wrong with a helper cannot be said. */
      feeds[i].fd = files_open(shim, outlet) ? outlet->helper.to : -1;
      feeds[i].events = outlet->helper.waiting.length > 0 ? POLLOUT : 0;
    }
    int timeout = shim->ended && (shim->helped || !shim->empty) ? KILL_AGAIN
        : shim->empty                                            ? LINGER
                                                                 : -1;
    if (poll(polled, 4 + CLIENTS + 5, timeout) < 0 && errno != EINTR) {
      _exit(1);
    }

    /* First what the task says: it may have ended since. */
    if (polled[3].revents != 0) {
      hear_task(shim);
    }
    for (int i = 0; i < 2; i++) {
      if (outlets[i].fd >= 0 && outlets[i].revents != 0) {
        draw(shim, i);
      }
    }
    if (outlets[2].fd >= 0 && outlets[2].revents != 0) {
      streams_feed(streams);
    }
    for (int i = 0; i < 2; i++) {
      struct helper *helper = &streams->outlets[i].helper;
      /* What was just written may have shown it already. */
      if (feeds[i].fd >= 0 && feeds[i].revents != 0 && helper->to >= 0
          && ((feeds[i].revents & POLLERR) != 0 || !helper_feed(helper))) {
        helper_lost(shim, i);
      }
    }
    if (polled[0].revents != 0 || shim->ended) {
      struct signalfd_siginfo ignored[8];
      while (read(shim->signals, ignored, sizeof ignored) == (ssize_t)sizeof ignored) {
      }
      if ((!reap(shim) || shim->empty) && all_delivered(shim) && helpers_over(shim)) {
        finish(shim, 0);
      }
    }
    if (shim->parent.fd >= 0 && (polled[1].revents != 0 || shim->parent.out.length > 0)
        && !serve(shim, &shim->parent, NULL)) {
      link_close(&shim->parent);
    }
    if (shim->ended && !shim->empty) {
      /* What the first process leaves behind ends with it: all of it comes to be a child here. */
      signal_children(getpid(), SIGKILL, is_helper);
    }
    if (polled[2].revents != 0) {
      accept_client(shim);
    }
    for (int i = 0; i < CLIENTS; i++) {
      struct client *client = &shim->clients[i];
      bool goes_on = client->paused && (streams->typed.length < TYPED_MOST || shim->ended);
      bool gone = client->paused && (polled[4 + i].revents & (POLLHUP | POLLERR)) != 0;
      if (client->link.fd >= 0
          && (gone
              || ((polled[4 + i].revents != 0 || client->link.out.length > 0 || goes_on)
                  && !serve(shim, &client->link, client)))) {
        link_close(&client->link);
        memset(client->reads, 0, sizeof client->reads);
        client->writes = client->paused = false;
      }
    }
    if (shim->empty && all_delivered(shim) && helpers_over(shim)) {
      finish(shim, 0);
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

  if (!streams_open(&shim.streams, plan)) {
    give_up(&shim, shim.streams.terminal ? "make a terminal" : "make pipes");
  }
  int cgroup = *plan->cgroups == NULL ? -1 : open_unified(*plan->cgroups);
  bool in_cgroup;
  shim.task = spawn_process(cgroup, &in_cgroup);
  if (shim.task < 0) {
    give_up(&shim, "fork");
  }
  if (shim.task == 0) {
    close(gate[0]);
    task_run(plan, &shim.streams, gate[1], files, in_cgroup);
  }
  close(gate[1]);
  shim.gate = gate[0];
  streams_close_ends(&shim.streams);
  if (shim.streams.owner.other && streams_any(&shim.streams)) {
    /* With the user's rights logs are rotated. */
    setgroups(plan->group_count, plan->groups);
  }
  if (cgroup >= 0) {
    close(cgroup);
  }

  char line[128];
  char problem[PROBLEM_SIZE];
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
  if (!streams_start_helpers(&shim.streams, plan, files, problem)) {
    report_failure(&shim, problem);
    signal_children(getpid(), SIGKILL, NULL);
    finish(&shim, 1);
  }
  for (int i = 0; i < 2; i++) {
    helpers[i] = shim.streams.outlets[i].helper.pid;
    shim.helped = shim.helped || helpers[i] > 0;
  }
  shim.held = plan->hold;
  shim.awaits = plan->reach == REACH_AWAITED;
  let_go(&shim);
  /* The task's secrets are its own from here on. */
  plan_free(plan);
  watch(&shim);
}
