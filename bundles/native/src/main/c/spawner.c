#define _GNU_SOURCE
#include "spawner.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "process.h"
#include "shim.h"

enum {
  CLIENTS_MOST = 16,
  BUCKETS = 1024,
  EVENTS = 64,
  PIDS_MOST = 65536,
  EXIT_BUSY = 3,
  DEPTH_MOST = 32,
  WATCHES_MOST = 65536,

  CALL_PIDFD_SEND_SIGNAL = 424,
  CALL_PIDFD_OPEN = 434,

  KILL_AGAIN = 20,
};

enum state {
  STATE_STARTING = 0,
  STATE_STARTED = 1,
  STATE_ENDED = 2,
};

enum kind {
  KIND_LISTENER,
  KIND_SIGNALS,
  KIND_CLIENT,
  KIND_CONTAINER,
  KIND_WATCH,
};

/* What a file descriptor stands for; the first member of whatever does. */
struct source {
  enum kind kind;
};

struct client {
  struct source source;
  struct link link;
  bool dead;
  bool writing;
  struct client *next;
};

struct container {
  struct source source;
  struct link link;
  bool dead;
  bool writing;
  bool adopted;
  enum state state;
  pid_t shim;
  pid_t task;
  uint64_t start;
  uint64_t shim_start;
  char *procs;
  struct container *next_by_id;
  struct container *next_by_shim;
  struct container *next_dead;
  char id[];
};

/* What the kernel tells of the memory of one cgroup, for one connection. */
struct watch {
  struct source source;
  bool dead;
  int fd;
  struct client *client;
  struct watch *next_by_path;
  struct watch *next_dead;
  char path[];
};

/* One per process; a signal handler or a thread there is not. */
static struct {
  int epoll;
  int signals;
  int listener;
  int folder;
  char socket[64];
  struct rlimit files;
  struct client *clients;
  int client_count;
  struct container *by_id[BUCKETS];
  struct container *by_shim[BUCKETS];
  struct container *dead;
  size_t container_count;
  struct watch *by_path[BUCKETS];
  struct watch *dead_watches;
  size_t watch_count;
  bool retired;
  bool orphans;
} spawner;

__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
  char line[512];
  char when[32];
  time_t now = time(NULL);
  struct tm parts;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  gmtime_r(&now, &parts);
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
  dprintf(2, "%s %s\n", when, line);
}

/* --- Containers ----------------------------------------------------------------------------------- */

static unsigned bucket_of_id(const char *id) {
  unsigned hash = 5381;
  for (; *id != 0; id++) {
    hash = hash * 33 + (unsigned char)*id;
  }
  return hash % BUCKETS;
}

static struct container *container_by_id(const char *id) {
  struct container *container = spawner.by_id[bucket_of_id(id)];
  while (container != NULL && strcmp(container->id, id) != 0) {
    container = container->next_by_id;
  }
  return container;
}

static struct container *container_by_shim(pid_t pid) {
  struct container *container = spawner.by_shim[(unsigned)pid % BUCKETS];
  while (container != NULL && (container->shim != pid || container->adopted)) {
    container = container->next_by_shim;
  }
  return container;
}

static bool is_shim(pid_t pid) {
  return container_by_shim(pid) != NULL;
}

static bool watch_source(int fd, struct source *source) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  return epoll_ctl(spawner.epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Closing alone would not do: a shim that was just forked may have the file for a moment, too. */
static void unwatch_source(int fd) {
  if (fd >= 0) {
    epoll_ctl(spawner.epoll, EPOLL_CTL_DEL, fd, NULL);
  }
}

/* Asks to be told when more can be written, or no longer. */
static void watch_writing(struct link *link, struct source *source, bool *writing) {
  bool wanted = link->out.length > 0;
  if (link->fd >= 0 && wanted != *writing) {
    struct epoll_event event = {
        .events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, .data.ptr = source};
    epoll_ctl(spawner.epoll, EPOLL_CTL_MOD, link->fd, &event);
    *writing = wanted;
  }
}

static struct container *container_add(const char *id, const char *procs, int fd, pid_t shim) {
  struct container *container = calloc(1, sizeof *container + strlen(id) + 1);
  if (container == NULL) {
    return NULL;
  }
  if (procs != NULL && (container->procs = strdup(procs)) == NULL) {
    free(container);
    return NULL;
  }
  strcpy(container->id, id);
  container->source.kind = KIND_CONTAINER;
  container->link.fd = fd;
  container->link.greeted = true;
  container->shim = shim;
  struct container **bucket = &spawner.by_id[bucket_of_id(id)];
  container->next_by_id = *bucket;
  *bucket = container;
  bucket = &spawner.by_shim[(unsigned)shim % BUCKETS];
  container->next_by_shim = *bucket;
  *bucket = container;
  spawner.container_count++;
  watch_source(fd, &container->source);
  return container;
}

/* Forgets it; its memory goes when no event of this turn can mean it any more. */
static void container_remove(struct container *container) {
  struct container **at = &spawner.by_id[bucket_of_id(container->id)];
  while (*at != container) {
    at = &(*at)->next_by_id;
  }
  *at = container->next_by_id;
  at = &spawner.by_shim[(unsigned)container->shim % BUCKETS];
  while (*at != container) {
    at = &(*at)->next_by_shim;
  }
  *at = container->next_by_shim;
  unwatch_source(container->link.fd);
  link_close(&container->link);
  container->dead = true;
  container->next_dead = spawner.dead;
  spawner.dead = container;
  spawner.container_count--;
}

/* --- Telling agents -------------------------------------------------------------------------------- */

static void client_flush(struct client *client) {
  if (!client->dead && !link_flush(&client->link)) {
    client->dead = true;
  }
  watch_writing(&client->link, &client->source, &client->writing);
}

static void tell_all(uint16_t type, const void *body, size_t length) {
  for (struct client *client = spawner.clients; client != NULL; client = client->next) {
    if (!client->dead && client->link.greeted) {
      size_t begin = frame_begin(&client->link.out, type, 0);
      buffer_add(&client->link.out, body, length);
      frame_end(&client->link.out, begin);
      client_flush(client);
    }
  }
}

static void tell_lost(struct container *container, const char *text) {
  struct buffer body = {0};
  field_text(&body, TAG_CONTAINER, container->id);
  field_text(&body, TAG_TEXT, text);
  tell_all(TYPE_LOST, body.at, body.length);
  buffer_free(&body);
}

static void describe(struct container *container, struct buffer *out, uint32_t number) {
  size_t begin = frame_begin(out, TYPE_STARTED, number);
  field_text(out, TAG_CONTAINER, container->id);
  field_u32(out, TAG_PID, (uint32_t)container->task);
  field_u64(out, TAG_START, container->start);
  field_u32(out, TAG_SHIM, (uint32_t)container->shim);
  field_u64(out, TAG_SHIM_START, container->shim_start);
  field_u32(out, TAG_STATE, (uint32_t)container->state);
  frame_end(out, begin);
}

/* --- Shims ------------------------------------------------------------------------------------------- */

/* Kills a process of which only number and start time are known, never somebody else's. */
static void kill_known(pid_t pid, uint64_t start) {
  int fd = (int)syscall(CALL_PIDFD_OPEN, pid, 0);
  if (start_time(pid) == start) {
    if (fd < 0 || syscall(CALL_PIDFD_SEND_SIGNAL, fd, SIGKILL, NULL, 0) != 0) {
      kill(pid, SIGKILL);
    }
    kill(-pid, SIGKILL);
  }
  if (fd >= 0) {
    close(fd);
  }
}

/* A shim has gone before its container: nobody would wait for that, and nobody could end it. */
static void shim_lost(struct container *container, const char *how) {
  char text[256];
  snprintf(text, sizeof text, "The shim of the container %s; what ran in it was killed", how);
  note("container %s: %s", container->id, text);
  if (container->task > 0) {
    kill_known(container->task, container->start);
  }
  if (container->procs != NULL) {
    kill_cgroup(container->procs);
  }
  spawner.orphans = true;
  container->state = STATE_ENDED;
  tell_lost(container, text);
}

/* What a shim without a container left behind is now a child of this process. */
static void kill_orphans(void) {
  if (getpid() == 1 || signal_children(getpid(), SIGKILL, is_shim) == 0) {
    spawner.orphans = false;
  }
}

static void hear_shim(struct container *container) {
  if (container->link.fd < 0) {
    return;
  }
  bool open = link_read(&container->link);
  struct frame frame;
  struct bytes in;
  size_t taken;
  int found;
  while (in.at = container->link.in.at, in.length = container->link.in.length,
         (found = frame_next(in, &frame, &taken)) == 1) {
    uint32_t value;
    struct bytes start;
    switch (frame.type) {
      case TYPE_STARTED:
        if (body_u32(frame.body, TAG_PID, &value)) {
          container->task = (pid_t)value;
        }
        if (body_find(frame.body, TAG_START, &start) && start.length == 8) {
          container->start = read_u64(start.at);
        }
        if (body_find(frame.body, TAG_SHIM_START, &start) && start.length == 8) {
          container->shim_start = read_u64(start.at);
        }
        container->state = STATE_STARTED;
        tell_all(frame.type, frame.body.at, frame.body.length);
        break;
      case TYPE_EXITED:
      case TYPE_FAILED:
        container->state = STATE_ENDED;
        tell_all(frame.type, frame.body.at, frame.body.length);
        break;
      case TYPE_HELPER_LOST: tell_all(frame.type, frame.body.at, frame.body.length); break;
      default:
        break;
    }
    buffer_drop(&container->link.in, taken);
  }
  if (found == 0 && open) {
    if (container->link.in.length == 0) {
      buffer_free(&container->link.in);
    }
    return;
  }
  unwatch_source(container->link.fd);
  link_close(&container->link);
  if (container->adopted) {
    if (container->state != STATE_ENDED) {
      shim_lost(container, "is gone");
    }
    container_remove(container);
  }
}

static bool ask_shim(struct container *container, uint16_t type, const uint32_t *signal) {
  if (container->link.fd < 0) {
    return false;
  }
  struct buffer *out = &container->link.out;
  size_t begin = frame_begin(out, type, 0);
  if (signal != NULL) {
    field_u32(out, TAG_SIGNAL, *signal);
  }
  frame_end(out, begin);
  bool sent = link_flush(&container->link);
  watch_writing(&container->link, &container->source, &container->writing);
  if (out->length == 0) {
    buffer_free(out);
  }
  return sent;
}

/* Waits for whoever has ended: shims, and what has come to this process because of theirs. */
static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    struct container *container = container_by_shim(pid);
    if (container == NULL) {
      continue;
    }
    hear_shim(container);
    if (container->state != STATE_ENDED) {
      char how[64];
      if (WIFSIGNALED(status)) {
        snprintf(how, sizeof how, "was killed by signal %d", WTERMSIG(status));
      } else {
        snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(status));
      }
      shim_lost(container, how);
    } else if (WIFSIGNALED(status)) {
      /* It had more to end than the container: strays, and who reads output. */
      spawner.orphans = true;
    }
    container_remove(container);
  }
  if (spawner.orphans) {
    kill_orphans();
  }
}

static void adopt_one(int folder, const char *id) {
  char text[128] = {0};
  int task = 0;
  int shim = 0;
  unsigned long long start = 0;
  unsigned long long shim_start = 0;
  int file = openat(folder, "pid", O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  ssize_t length = file < 0 ? 0 : read(file, text, sizeof text - 1);
  if (file >= 0) {
    close(file);
  }
  if (length <= 0 || sscanf(text, "%d %llu %d %llu", &task, &start, &shim, &shim_start) != 4
      || task <= 1) {
    return;
  }
  int fd = connect_in(folder, CONTROL);
  struct container *container = fd < 0 ? NULL : container_add(id, NULL, fd, (pid_t)shim);
  if (container == NULL) {
    if (fd >= 0) {
      close(fd);
    }
    return;
  }
  container->adopted = true;
  container->task = (pid_t)task;
  container->start = start;
  container->shim_start = shim_start;
  container->state = STATE_STARTED;
  frame_hello(&container->link.out, 0, "mezzo-spawner");
  ask_shim(container, TYPE_WAIT, NULL);
  note("container %s: its shim %d is taken over", id, shim);
}

/* Goes on with the shims of a spawner that is gone; nested containers are folders in a folder. */
static void adopt(int parent, const char *prefix, int depth) {
  int fd = openat(parent, "containers", O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  DIR *containers = fd < 0 ? NULL : fdopendir(fd);
  if (containers == NULL) {
    if (fd >= 0) {
      close(fd);
    }
    return;
  }
  struct dirent *entry;
  while ((entry = readdir(containers)) != NULL) {
    char id[ID_MOST + 1];
    int length = snprintf(id, sizeof id, "%s%s", prefix, entry->d_name);
    int folder = entry->d_name[0] == '.' || length > ID_MOST
        ? -1
        : openat(
              dirfd(containers), entry->d_name, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (folder < 0) {
      continue;
    }
    adopt_one(folder, id);
    length = snprintf(id, sizeof id, "%s%s/containers/", prefix, entry->d_name);
    if (length <= ID_MOST && depth < DEPTH_MOST) {
      adopt(folder, id, depth + 1);
    }
    close(folder);
  }
  closedir(containers);
}

static void adopt_all(const char *runtime) {
  int folder = open(runtime, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  if (folder >= 0) {
    adopt(folder, "", 0);
    close(folder);
  }
}

/* --- Memory of cgroups ------------------------------------------------------------------------------ */

/* Ends it; its memory goes when no event of this turn can mean it any more. */
static void watch_remove(struct watch **at) {
  struct watch *watch = *at;
  *at = watch->next_by_path;
  unwatch_source(watch->fd);
  close(watch->fd);
  watch->dead = true;
  watch->next_dead = spawner.dead_watches;
  spawner.dead_watches = watch;
  spawner.watch_count--;
}

/* Where the watch of a path by somebody is, or the end of its bucket. */
static struct watch **watch_at(const char *path, const struct client *client) {
  struct watch **at = &spawner.by_path[bucket_of_id(path)];
  while (*at != NULL && ((*at)->client != client || strcmp((*at)->path, path) != 0)) {
    at = &(*at)->next_by_path;
  }
  return at;
}

static void watches_end(const struct client *client) {
  for (int bucket = 0; bucket < BUCKETS; bucket++) {
    for (struct watch **at = &spawner.by_path[bucket]; *at != NULL;) {
      if ((*at)->client == client) {
        watch_remove(at);
      } else {
        at = &(*at)->next_by_path;
      }
    }
  }
}

/* Has the kernel count in an eventfd when the cgroup runs out of memory. Null, or what is wrong. */
static const char *register_memory(const char *path, int event) {
  char file[4096 + 32];
  char line[32];
  snprintf(file, sizeof file, "%s/memory.oom_control", path);
  int control = open(file, O_RDONLY | O_CLOEXEC);
  if (control < 0) {
    return "cannot open its memory.oom_control";
  }
  snprintf(file, sizeof file, "%s/cgroup.event_control", path);
  snprintf(line, sizeof line, "%d %d", event, control);
  int failure = write_file(file, line);
  close(control);
  errno = failure;
  return failure == 0 ? NULL : "cannot write its cgroup.event_control";
}

static void watch_memory(struct client *client, struct frame *frame) {
  struct buffer *out = &client->link.out;
  char path[4096];
  char problem[PROBLEM_SIZE];
  if (!body_text(frame->body, TAG_PATH, path, sizeof path) || *path != '/') {
    frame_error(out, frame->number, "field path: an absolute path is needed");
    return;
  }
  struct watch **before = watch_at(path, client);
  if (*before != NULL) {
    /* It may be another cgroup by now. */
    watch_remove(before);
  }
  if (spawner.watch_count >= WATCHES_MOST) {
    snprintf(problem, sizeof problem, "%d cgroups are watched already", WATCHES_MOST);
    frame_error(out, frame->number, problem);
    return;
  }
  struct rlimit files;
  int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  /* The other half is for containers, which are more important. */
  if (event < 0 || getrlimit(RLIMIT_NOFILE, &files) != 0
      || (files.rlim_cur != RLIM_INFINITY && (rlim_t)event >= files.rlim_cur / 2)) {
    frame_error(out, frame->number, "too many files are open for one more watch (RLIMIT_NOFILE)");
    if (event >= 0) {
      close(event);
    }
    return;
  }
  const char *wrong = register_memory(path, event);
  if (wrong != NULL) {
    snprintf(problem, sizeof problem, "%s: %s", wrong, strerror(errno));
    frame_error(out, frame->number, problem);
    close(event);
    return;
  }
  struct watch *watch = calloc(1, sizeof *watch + strlen(path) + 1);
  if (watch == NULL || !watch_source(event, &watch->source)) {
    frame_error(out, frame->number, "there is no memory for one more watch");
    free(watch);
    close(event);
    return;
  }
  watch->source.kind = KIND_WATCH;
  watch->fd = event;
  watch->client = client;
  strcpy(watch->path, path);
  struct watch **bucket = &spawner.by_path[bucket_of_id(path)];
  watch->next_by_path = *bucket;
  *bucket = watch;
  spawner.watch_count++;
  frame_ok(out, frame->number);
}

/* The kernel says the same when a cgroup is removed, which nobody needs to be told. */
static void hear_kernel(struct watch *watch) {
  uint64_t count;
  if (read(watch->fd, &count, sizeof count) != sizeof count) {
    return;
  }
  if (access(watch->path, F_OK) != 0) {
    watch_remove(watch_at(watch->path, watch->client));
    return;
  }
  struct client *client = watch->client;
  if (!client->dead) {
    size_t begin = frame_begin(&client->link.out, TYPE_MEMORY, 0);
    field_text(&client->link.out, TAG_PATH, watch->path);
    frame_end(&client->link.out, begin);
    client_flush(client);
  }
}

/* --- What agents ask ------------------------------------------------------------------------------- */

static _Noreturn void become_shim(struct plan *plan, int parent) {
  /* Other plans may wait in there. */
  for (struct client *client = spawner.clients; client != NULL; client = client->next) {
    buffer_free(&client->link.in);
    buffer_free(&client->link.out);
  }
  shim_run(plan, parent, &spawner.files);
}

static void launch(struct buffer *out, struct frame *frame) {
  char problem[PROBLEM_SIZE];
  struct plan plan;
  int pair[2];
  if (spawner.retired) {
    frame_error(out, frame->number, "this launcher makes no more containers");
    return;
  }
  if (!plan_parse(frame->body, &plan, problem)) {
    frame_error(out, frame->number, problem);
    return;
  }
  if (container_by_id(plan.id) != NULL) {
    frame_error(out, frame->number, "field container: there is one of that name");
    plan_free(&plan);
    return;
  }
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    snprintf(problem, sizeof problem, "cannot make a socket: %s", strerror(errno));
    frame_error(out, frame->number, problem);
    plan_free(&plan);
    return;
  }
  pid_t pid = fork();
  if (pid == 0) {
    become_shim(&plan, pair[1]);
  }
  int forked = errno;
  close(pair[1]);
  if (pid < 0) {
    snprintf(problem, sizeof problem, "cannot fork: %s", strerror(forked));
    frame_error(out, frame->number, problem);
    close(pair[0]);
  } else if (container_add(plan.id, *plan.cgroups, pair[0], pid) == NULL) {
    frame_error(out, frame->number, "there is no memory for one more container");
    kill(pid, SIGKILL);
    spawner.orphans = true;
    close(pair[0]);
  } else {
    frame_ok(out, frame->number);
  }
  plan_free(&plan);
}

static struct container *named(struct frame *frame) {
  char id[ID_MOST + 1];
  return body_text(frame->body, TAG_CONTAINER, id, sizeof id) ? container_by_id(id) : NULL;
}

static void forward(struct buffer *out, struct frame *frame) {
  struct container *container = named(frame);
  uint32_t signal = 0;
  if (container == NULL) {
    frame_error(out, frame->number, "field container: there is none of that name");
  } else if (frame->type == TYPE_SIGNAL
      && (!body_u32(frame->body, TAG_SIGNAL, &signal) || signal >= NSIG)) {
    frame_error(out, frame->number, "field signal: a number of a signal is needed");
  } else if (!ask_shim(container, frame->type, frame->type == TYPE_SIGNAL ? &signal : NULL)) {
    frame_error(out, frame->number, "the shim of the container is gone");
  } else {
    frame_ok(out, frame->number);
  }
}

static void kill_pids(struct buffer *out, struct frame *frame) {
  struct bytes pids;
  uint32_t signal;
  if (!body_u32(frame->body, TAG_SIGNAL, &signal) || signal >= NSIG) {
    frame_error(out, frame->number, "field signal: a number of a signal is needed");
    return;
  }
  if (!body_find(frame->body, TAG_PIDS, &pids) || pids.length % 4 != 0
      || pids.length / 4 > PIDS_MOST) {
    frame_error(out, frame->number, "field pids: numbers of processes are needed");
    return;
  }
  for (size_t i = 0; i < pids.length; i += 4) {
    uint32_t pid = read_u32(pids.at + i);
    /* Neither everything nor a group nor init nor oneself. */
    if (pid > 1 && pid <= INT32_MAX && (pid_t)pid != getpid()) {
      kill((pid_t)pid, (int)signal);
    }
  }
  frame_ok(out, frame->number);
}

static void write_text(struct buffer *out, struct frame *frame) {
  char path[4096];
  char text[4096];
  char problem[PROBLEM_SIZE];
  if (!body_text(frame->body, TAG_PATH, path, sizeof path) || *path != '/') {
    frame_error(out, frame->number, "field path: an absolute path is needed");
  } else if (!body_text(frame->body, TAG_TEXT, text, sizeof text)) {
    frame_error(out, frame->number, "field text: up to 4095 bytes are needed");
  } else {
    int failure = write_file(path, text);
    if (failure != 0) {
      snprintf(problem, sizeof problem, "cannot write: %s", strerror(failure));
      frame_error(out, frame->number, problem);
    } else {
      frame_ok(out, frame->number);
    }
  }
}

static void list(struct buffer *out, struct frame *frame) {
  for (int bucket = 0; bucket < BUCKETS; bucket++) {
    for (struct container *container = spawner.by_id[bucket]; container != NULL;
         container = container->next_by_id) {
      describe(container, out, frame->number);
    }
  }
  frame_ok(out, frame->number);
}

/* False: the connection ends. */
static bool answer(struct client *client, struct frame *frame) {
  struct buffer *out = &client->link.out;
  if (!client->link.greeted && frame->type != TYPE_HELLO) {
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
      client->link.greeted = true;
      frame_hello(out, frame->number, "mezzo-spawner");
      return true;
    }
    case TYPE_LAUNCH: launch(out, frame); return true;
    case TYPE_RELEASE:
    case TYPE_SIGNAL: forward(out, frame); return true;
    case TYPE_KILL: kill_pids(out, frame); return true;
    case TYPE_WRITE: write_text(out, frame); return true;
    case TYPE_LIST: list(out, frame); return true;
    case TYPE_WATCH: watch_memory(client, frame); return true;
    case TYPE_RETIRE:
      spawner.retired = true;
      frame_ok(out, frame->number);
      return true;
    default: frame_error(out, frame->number, "a launcher does not know this request"); return true;
  }
}

static void hear_client(struct client *client) {
  bool open = link_read(&client->link);
  struct frame frame;
  struct bytes in;
  size_t taken;
  size_t done = 0;
  int found;
  while (in.at = client->link.in.at + done, in.length = client->link.in.length - done,
         (found = in.length == 0 ? 0 : frame_next(in, &frame, &taken)) == 1) {
    if (!answer(client, &frame)) {
      open = false;
      break;
    }
    done += taken;
  }
  if (found < 0) {
    frame_error(&client->link.out, 0, "what was read is no frame");
    open = false;
  }
  client_flush(client);
  if (!open) {
    client->dead = true;
  } else {
    buffer_drop(&client->link.in, done);
  }
}

static void accept_client(void) {
  int fd = accept4(spawner.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    return;
  }
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0
      || (peer.uid != geteuid() && peer.uid != 0)) {
    note("somebody else's connection was refused");
    close(fd);
    return;
  }
  struct client *client =
      spawner.client_count < CLIENTS_MOST ? calloc(1, sizeof *client) : NULL;
  if (client == NULL) {
    note("a connection was refused: there are %d", spawner.client_count);
    close(fd);
    return;
  }
  client->source.kind = KIND_CLIENT;
  client->link.fd = fd;
  client->next = spawner.clients;
  spawner.clients = client;
  spawner.client_count++;
  watch_source(fd, &client->source);
}

/* --- The loop ---------------------------------------------------------------------------------------- */

static void bury(void) {
  struct client **at = &spawner.clients;
  while (*at != NULL) {
    struct client *client = *at;
    if (client->dead) {
      *at = client->next;
      watches_end(client);
      unwatch_source(client->link.fd);
      link_close(&client->link);
      free(client);
      spawner.client_count--;
    } else {
      at = &client->next;
    }
  }
  while (spawner.dead != NULL) {
    struct container *container = spawner.dead;
    spawner.dead = container->next_dead;
    free(container->procs);
    free(container);
  }
  while (spawner.dead_watches != NULL) {
    struct watch *watch = spawner.dead_watches;
    spawner.dead_watches = watch->next_dead;
    free(watch);
  }
}

static void hear_signals(void) {
  struct signalfd_siginfo signals[16];
  ssize_t count;
  while ((count = read(spawner.signals, signals, sizeof signals)) > 0) {
    for (size_t i = 0; i < (size_t)count / sizeof *signals; i++) {
      /* A service manager that stops the agent may ask everybody; containers are the agent's. */
      if (signals[i].ssi_signo == SIGTERM && spawner.container_count == 0) {
        spawner.retired = true;
      }
    }
  }
  reap();
}

static long now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

static int loop(int linger) {
  static struct source signals = {KIND_SIGNALS};
  static struct source listener = {KIND_LISTENER};
  struct epoll_event events[EVENTS];
  long idle_since = now_seconds();
  if (!watch_source(spawner.signals, &signals) || !watch_source(spawner.listener, &listener)) {
    note("cannot watch: %s", strerror(errno));
    return 1;
  }
  for (;;) {
    if (spawner.container_count > 0) {
      idle_since = now_seconds();
    } else if (spawner.retired) {
      return 0;
    } else if (spawner.client_count > 0) {
      idle_since = now_seconds();
    } else if (now_seconds() - idle_since >= linger) {
      note("there is no agent and no container: this launcher ends");
      return 0;
    }
    int count = epoll_wait(spawner.epoll, events, EVENTS, spawner.orphans ? KILL_AGAIN : 1000);
    if (count < 0 && errno != EINTR) {
      note("cannot wait: %s", strerror(errno));
      return 1;
    }
    for (int i = 0; i < count; i++) {
      struct source *source = events[i].data.ptr;
      switch (source->kind) {
        case KIND_SIGNALS: hear_signals(); break;
        case KIND_LISTENER: accept_client(); break;
        case KIND_CLIENT: {
          struct client *client = (struct client *)source;
          if (!client->dead && (events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
            hear_client(client);
          } else if (!client->dead) {
            client_flush(client);
          }
          break;
        }
        case KIND_CONTAINER: {
          struct container *container = (struct container *)source;
          if (!container->dead && (events[i].events & EPOLLOUT) != 0 && container->link.fd >= 0) {
            link_flush(&container->link);
            watch_writing(&container->link, &container->source, &container->writing);
          }
          if (!container->dead && (events[i].events & ~(uint32_t)EPOLLOUT) != 0) {
            hear_shim(container);
          }
          break;
        }
        case KIND_WATCH: {
          struct watch *watch = (struct watch *)source;
          if (!watch->dead) {
            hear_kernel(watch);
          }
          break;
        }
      }
    }
    if (spawner.orphans) {
      reap();
    }
    bury();
  }
}

static bool fail(const char *what) {
  note("cannot %s: %s", what, strerror(errno));
  return false;
}

/* The folder must be the agent's own, or somebody else could listen in its place. */
static bool open_folder(const char *runtime) {
  char path[4096];
  struct stat stat;
  if ((size_t)snprintf(path, sizeof path, "%s/launcher", runtime) >= sizeof path) {
    errno = ENAMETOOLONG;
    return fail("use the runtime directory");
  }
  if (mkdir(path, 0700) != 0 && errno != EEXIST) {
    return fail("make the folder launcher");
  }
  spawner.folder = open(path, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (spawner.folder < 0 || fstat(spawner.folder, &stat) != 0) {
    return fail("open the folder launcher");
  }
  if (stat.st_uid != geteuid() || (stat.st_mode & 077) != 0) {
    note("%s is not closed to others, or not this account's own: remove it", path);
    return false;
  }
  return true;
}

int spawner_run(const char *runtime, int linger) {
  char lock[80];
  sigset_t all;
  struct rlimit files;

  umask(077);
  if (chdir("/") != 0 || !open_folder(runtime)) {
    return 1;
  }
  snprintf(spawner.socket, sizeof spawner.socket, "%d.%d.socket", VERSION_MAJOR, VERSION_MINOR);
  snprintf(lock, sizeof lock, "%d.%d.lock", VERSION_MAJOR, VERSION_MINOR);
  int lock_file = openat(spawner.folder, lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock_file < 0) {
    fail("open the lock");
    return 1;
  }
  if (flock(lock_file, LOCK_EX | LOCK_NB) != 0) {
    return EXIT_BUSY;
  }

  setsid();
  rename_process("mezzo-spawner");
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, NULL);
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
    fail("become a subreaper");
    return 1;
  }
  getrlimit(RLIMIT_NOFILE, &spawner.files);
  files.rlim_cur = files.rlim_max = spawner.files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  spawner.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
  spawner.epoll = epoll_create1(EPOLL_CLOEXEC);
  if (spawner.signals < 0 || spawner.epoll < 0) {
    fail("watch");
    return 1;
  }
  adopt_all(runtime);
  spawner.listener = listen_in(spawner.folder, spawner.socket);
  if (spawner.listener < 0) {
    fail("listen");
    return 1;
  }
  if (write(1, "ready\n", 6) != 6) {
    note("nobody reads that this launcher is ready");
  }
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, 0);
    dup2(null, 1);
    close(null);
  }
  int status = loop(linger);
  unlinkat(spawner.folder, spawner.socket, 0);
  for (struct client *client = spawner.clients; client != NULL; client = client->next) {
    link_flush(&client->link);
  }
  return status;
}

/* --- The self-test ------------------------------------------------------------------------------------ */

static bool expect_exit(int fd) {
  struct link link = {.fd = fd};
  for (int turn = 0; turn < 100; turn++) {
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    if (poll(&readable, 1, 100) <= 0) {
      continue;
    }
    bool open = link_read(&link);
    struct frame frame;
    size_t taken;
    struct bytes in;
    while (in.at = link.in.at, in.length = link.in.length,
           in.length > 0 && frame_next(in, &frame, &taken) == 1) {
      uint32_t status;
      char text[PROBLEM_SIZE];
      if (frame.type == TYPE_EXITED && body_u32(frame.body, TAG_STATUS, &status)) {
        if (status != 0) {
          dprintf(2, "a container ended with the wait status %u\n", status);
        }
        return status == 0;
      }
      if (frame.type == TYPE_FAILED) {
        dprintf(
            2,
            "a container did not start: the shim %s\n",
            body_text(frame.body, TAG_TEXT, text, sizeof text) ? text : "does not say why");
        return false;
      }
      buffer_drop(&link.in, taken);
    }
    if (!open) {
      break;
    }
  }
  dprintf(2, "a shim did not report\n");
  return false;
}

int spawner_self_test(void) {
  const char *temporary = getenv("TMPDIR");
  char folder[4096];
  char control[4200];
  char *arguments[] = {(char *)"mezzo-launcher", (char *)"version", NULL};
  char *none[] = {NULL};
  struct plan plan = {
      .id = (char *)"self-test",
      .program = (char *)"/proc/self/exe",
      .directory = (char *)"/",
      .output = (char *)"/dev/null",
      .errors = (char *)"/dev/null",
      .arguments = arguments,
      .environment = none,
      .cgroups = none,
      .mask = 022,
  };
  struct rlimit files;
  int pair[2];
  snprintf(
      folder,
      sizeof folder,
      "%s/mezzo-self-test-XXXXXX",
      temporary == NULL || *temporary == 0 ? "/tmp" : temporary);
  if (mkdtemp(folder) == NULL || getrlimit(RLIMIT_NOFILE, &files) != 0
      || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    dprintf(2, "cannot make %s: %s\n", folder, strerror(errno));
    return 1;
  }
  plan.folder = folder;
  pid_t pid = fork();
  if (pid == 0) {
    shim_run(&plan, pair[1], &files);
  }
  close(pair[1]);
  bool passed = pid > 0 && expect_exit(pair[0]);
  if (pid > 0) {
    if (!passed) {
      kill(pid, SIGKILL);
    }
    waitpid(pid, NULL, 0);
  }
  const char *names[] = {"pid", "status", CONTROL};
  for (int i = 0; i < 3; i++) {
    snprintf(control, sizeof control, "%s/%s", folder, names[i]);
    unlink(control);
  }
  rmdir(folder);
  return passed ? 0 : 1;
}
