#define _GNU_SOURCE
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"
#include "wire.h"

/*
 * A socket belongs to the network in which its thread was when it was made, and stays there. So this
 * process, which has one thread, goes into the network of a task for as long as that takes, and is
 * back before it connects. Nothing of the task ever runs here, and nothing is kept of it.
 */

enum {
  /* A version, a family (4 or 6), a port, a process, and an address. */
  REQUEST_SIZE = 24,
  REQUEST_VERSION = 1,
  AT_FAMILY = 1,
  AT_PORT = 2,
  AT_PID = 4,
  AT_ADDRESS = 8,

  PIECE = 16 << 10,
  /* One that has much to say does not keep others waiting. */
  PIECES_AT_ONCE = 8,
  CONNECTIONS_MOST = 4096,
  BACKLOG = 4096,
  EVENTS = 64,
};

/* The first byte of what the agent is told; where it is not the first of these a text follows. */
enum answer {
  ANSWER_CONNECTED = 0,
  ANSWER_REFUSED = 1,
  ANSWER_FAILED = 2,
  ANSWER_FORBIDDEN = 3,
};

enum state {
  STATE_ASKS,
  STATE_CONNECTS,
  STATE_RELAYS,
};

struct connection;

struct end {
  struct connection *of;
  int fd;
  bool watched;
  uint32_t events;
};

/* What was read at one end and not yet written at the other. */
struct piece {
  uint8_t at[PIECE];
  size_t from;
  size_t to;
};

struct connection {
  enum state state;
  struct end agent;
  struct end task;
  uint8_t request[REQUEST_SIZE];
  size_t asked;
  struct piece up;
  struct piece down;
  /* The task takes no more; what it has said is still told. */
  bool deaf;
  bool dead;
  struct connection *next_dead;
};

static struct {
  int epoll;
  int listener;
  int own_network;
  int count;
  struct connection *dead;
} relay;

/* Closed as both ends are: neither is told of the other's silence, only of its end. */
static void end_connection(struct connection *connection) {
  if (connection->dead) {
    return;
  }
  close(connection->agent.fd);
  if (connection->task.fd >= 0) {
    close(connection->task.fd);
  }
  connection->dead = true;
  connection->next_dead = relay.dead;
  relay.dead = connection;
  relay.count--;
}

/*
 * Waits for something at one end. Of the agent's its end is always waited for; of a task whose
 * answer the agent does not take, nothing is.
 */
static void watch(struct end *end, uint32_t events) {
  bool wanted = events != 0 || end == &end->of->agent;
  struct epoll_event event = {.events = events, .data.ptr = end};
  if (!wanted && end->watched) {
    epoll_ctl(relay.epoll, EPOLL_CTL_DEL, end->fd, NULL);
  } else if (wanted && (!end->watched || events != end->events)) {
    int how = end->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    if (epoll_ctl(relay.epoll, how, end->fd, &event) != 0) {
      end_connection(end->of);
      return;
    }
  }
  end->watched = wanted;
  end->events = events;
}

static void refuse(struct connection *connection, enum answer answer, const char *what, int problem) {
  char text[256];
  text[0] = (char)answer;
  int length = snprintf(text + 1, sizeof text - 1, "%s%s", what, strerror(problem));
  if (length > 0) {
    send(connection->agent.fd, text, (size_t)length + 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  end_connection(connection);
}

static void refuse_entry(struct connection *connection, int problem) {
  bool forbidden = problem == EPERM || problem == EACCES;
  refuse(
      connection,
      forbidden ? ANSWER_FORBIDDEN : ANSWER_FAILED,
      "the network of the task's process cannot be entered: ",
      problem);
}

/* A socket in the network of a process; -1 with errno, and entry says whether it was that. */
static int socket_of(uint32_t pid, int family, bool *entry) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%u/ns/net", (unsigned)pid);
  int network = open(path, O_RDONLY | O_CLOEXEC);
  *entry = network < 0 || setns(network, CLONE_NEWNET) != 0;
  int problem = errno;
  if (network >= 0) {
    close(network);
  }
  if (*entry) {
    errno = problem;
    return -1;
  }
  int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  problem = errno;
  if (setns(relay.own_network, CLONE_NEWNET) != 0) {
    /* Nothing may be done for anybody from here. */
    dprintf(2, "mezzo-relay: cannot come back: %s\n", strerror(errno));
    _exit(1);
  }
  errno = problem;
  return fd;
}

static void connected(struct connection *connection) {
  const uint8_t answer = ANSWER_CONNECTED;
  if (send(connection->agent.fd, &answer, 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1) {
    end_connection(connection);
    return;
  }
  connection->state = STATE_RELAYS;
  watch(&connection->task, EPOLLIN);
  if (!connection->dead) {
    watch(&connection->agent, EPOLLIN);
  }
}

static void not_connected(struct connection *connection, int problem) {
  bool refused = problem == ECONNREFUSED || problem == ETIMEDOUT;
  refuse(connection, refused ? ANSWER_REFUSED : ANSWER_FAILED, "", problem);
}

static void begin(struct connection *connection) {
  const uint8_t *request = connection->request;
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  struct sockaddr_in four = {.sin_family = AF_INET};
  bool is_six = request[AT_FAMILY] == 6;
  if (request[0] != REQUEST_VERSION || (!is_six && request[AT_FAMILY] != 4)) {
    refuse(connection, ANSWER_FAILED, "the relay does not know what is asked: ", EPROTO);
    return;
  }
  memcpy(&six.sin6_addr, request + AT_ADDRESS, sizeof six.sin6_addr);
  memcpy(&six.sin6_port, request + AT_PORT, sizeof six.sin6_port);
  memcpy(&four.sin_addr, request + AT_ADDRESS, sizeof four.sin_addr);
  memcpy(&four.sin_port, request + AT_PORT, sizeof four.sin_port);

  bool entry;
  connection->task.fd =
      socket_of(read_u32(request + AT_PID), is_six ? AF_INET6 : AF_INET, &entry);
  if (connection->task.fd < 0) {
    if (entry) {
      refuse_entry(connection, errno);
    } else {
      not_connected(connection, errno);
    }
    return;
  }
  struct sockaddr *address = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
  socklen_t size = is_six ? sizeof six : sizeof four;
  if (connect(connection->task.fd, address, size) == 0) {
    connected(connection);
  } else if (errno == EINPROGRESS) {
    connection->state = STATE_CONNECTS;
    watch(&connection->task, EPOLLOUT);
    if (!connection->dead) {
      watch(&connection->agent, 0);
    }
  } else {
    not_connected(connection, errno);
  }
}

static void hear_request(struct connection *connection) {
  ssize_t count = recv(
      connection->agent.fd,
      connection->request + connection->asked,
      REQUEST_SIZE - connection->asked,
      0);
  if (count < 0 && errno == EAGAIN) {
    return;
  }
  if (count <= 0) {
    end_connection(connection);
    return;
  }
  connection->asked += (size_t)count;
  if (connection->asked == REQUEST_SIZE) {
    begin(connection);
  }
}

enum carried {
  CARRIED,
  /* All that was said is told, and no more comes. */
  CARRIED_ALL,
  BROKEN,
};

static enum carried carry(int from, struct piece *piece, int to) {
  for (int turn = 0; turn < PIECES_AT_ONCE; turn++) {
    if (piece->from == piece->to) {
      piece->from = piece->to = 0;
      ssize_t count = recv(from, piece->at, sizeof piece->at, 0);
      if (count == 0) {
        return CARRIED_ALL;
      }
      if (count < 0) {
        return errno == EAGAIN ? CARRIED : BROKEN;
      }
      piece->to = (size_t)count;
    }
    ssize_t count = send(to, piece->at + piece->from, piece->to - piece->from, MSG_NOSIGNAL);
    if (count < 0) {
      return errno == EAGAIN ? CARRIED : BROKEN;
    }
    piece->from += (size_t)count;
  }
  return CARRIED;
}

static void carry_both(struct connection *connection) {
  struct end *agent = &connection->agent;
  struct end *task = &connection->task;
  if (carry(task->fd, &connection->down, agent->fd) != CARRIED) {
    end_connection(connection);
    return;
  }
  if (!connection->deaf) {
    switch (carry(agent->fd, &connection->up, task->fd)) {
      case CARRIED: break;
      case CARRIED_ALL: end_connection(connection); return;
      case BROKEN: connection->deaf = true; break;
    }
  }
  bool up = !connection->deaf && connection->up.from < connection->up.to;
  bool down = connection->down.from < connection->down.to;
  watch(task, (down ? 0U : (uint32_t)EPOLLIN) | (up ? (uint32_t)EPOLLOUT : 0U));
  if (!connection->dead) {
    watch(
        agent,
        (up || connection->deaf ? 0U : (uint32_t)EPOLLIN) | (down ? (uint32_t)EPOLLOUT : 0U));
  }
}

static void happened(struct end *end, uint32_t events) {
  struct connection *connection = end->of;
  if (connection->dead) {
    return;
  }
  if (end == &connection->agent && (events & (EPOLLHUP | EPOLLERR)) != 0) {
    /* Nobody wants to know any more. */
    end_connection(connection);
    return;
  }
  switch (connection->state) {
    case STATE_ASKS: hear_request(connection); break;
    case STATE_CONNECTS: {
      int problem = 0;
      socklen_t size = sizeof problem;
      if (getsockopt(connection->task.fd, SOL_SOCKET, SO_ERROR, &problem, &size) != 0) {
        problem = errno;
      }
      if (problem == 0) {
        connected(connection);
      } else {
        not_connected(connection, problem);
      }
      break;
    }
    case STATE_RELAYS: carry_both(connection); break;
  }
}

static void accept_agent(void) {
  int fd = accept4(relay.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    return;
  }
  struct ucred peer;
  socklen_t size = sizeof peer;
  bool own = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0
      && (peer.uid == geteuid() || peer.uid == 0);
  struct connection *connection =
      own && relay.count < CONNECTIONS_MOST ? calloc(1, sizeof *connection) : NULL;
  if (connection == NULL) {
    close(fd);
    return;
  }
  connection->agent.of = connection->task.of = connection;
  connection->agent.fd = fd;
  connection->task.fd = -1;
  relay.count++;
  watch(&connection->agent, EPOLLIN);
}

static void bury(void) {
  while (relay.dead != NULL) {
    struct connection *connection = relay.dead;
    relay.dead = connection->next_dead;
    free(connection);
  }
}

/* Until nobody is at the other end of the input. */
static int loop(void) {
  static struct end input = {.fd = 0};
  static struct end listener;
  struct epoll_event events[EVENTS];
  struct epoll_event readable = {.events = EPOLLIN, .data.ptr = &input};
  listener.fd = relay.listener;
  if (epoll_ctl(relay.epoll, EPOLL_CTL_ADD, 0, &readable) != 0) {
    return 1;
  }
  readable.data.ptr = &listener;
  if (epoll_ctl(relay.epoll, EPOLL_CTL_ADD, relay.listener, &readable) != 0) {
    return 1;
  }
  for (;;) {
    int count = epoll_wait(relay.epoll, events, EVENTS, -1);
    if (count < 0 && errno != EINTR) {
      return 1;
    }
    for (int i = 0; i < count; i++) {
      struct end *end = events[i].data.ptr;
      if (end == &input) {
        return 0;
      }
      if (end == &listener) {
        accept_agent();
      } else {
        happened(end, events[i].events);
      }
    }
    bury();
  }
}

int relay_run(const char *folder) {
  static const char name[] = "relay.socket";
  struct rlimit files;
  umask(077);
  setsid();
  rename_process("mezzo-relay");
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  int place = open(folder, O_DIRECTORY | O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  struct stat stat;
  if (place < 0 || fstat(place, &stat) != 0) {
    dprintf(2, "mezzo-relay: cannot open %s: %s\n", folder, strerror(errno));
    return 1;
  }
  if (stat.st_uid != geteuid() || (stat.st_mode & 077) != 0) {
    dprintf(2, "mezzo-relay: %s is not closed to others, or not this account's own\n", folder);
    return 1;
  }
  relay.own_network = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  relay.epoll = epoll_create1(EPOLL_CLOEXEC);
  relay.listener = listen_in(place, name);
  if (relay.own_network < 0 || relay.epoll < 0 || relay.listener < 0
      || listen(relay.listener, BACKLOG) != 0) {
    dprintf(2, "mezzo-relay: cannot begin: %s\n", strerror(errno));
    return 1;
  }
  if (write(1, "ready\n", 6) != 6) {
    return 1;
  }
  int status = loop();
  unlinkat(place, name, 0);
  return status;
}
