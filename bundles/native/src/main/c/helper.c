#define _GNU_SOURCE
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process.h"

enum {
  /* By which it says what went wrong before it was itself. */
  FD_REPORT = 3,
};

int helper_begin_most = 20000;

static _Noreturn void failed(const char *what, const char *name) {
  char text[PROBLEM_SIZE];
  int length = snprintf(text, sizeof text, "cannot %s '%.160s': %s", what, name, strerror(errno));
  if (length >= (int)sizeof text) {
    length = (int)sizeof text - 1;
  }
  /* Whoever does not hear it sees that it has ended. */
  _exit(write(FD_REPORT, text, (size_t)length) == length ? 126 : 125);
}

/* Never waits for the other end of a fifo that the user has put there. */
static void open_errors(const char *path) {
  int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0666);
  if (fd >= 0) {
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
    dup2(fd, 2);
  } else {
    dup2(1, 2);
  }
}

static _Noreturn void run(
    const struct plan *plan, int number, int input, int report, const struct rlimit *files) {
  const struct helper_plan *asked = &plan->helpers[number];
  sigset_t none;
  setsid();
  dup2(input, 0);
  dup3(report, FD_REPORT, O_CLOEXEC);
  close_from(FD_REPORT + 1);
  setrlimit(RLIMIT_NOFILE, files);
  if (plan->switch_user
      && (setgroups(plan->group_count, plan->groups) != 0
          || setresgid(plan->group, plan->group, plan->group) != 0
          || setresuid(plan->user, plan->user, plan->user) != 0)) {
    failed("become the user for the output helper", asked->program);
  }
  umask(plan->mask);
  if (chdir(plan->directory) != 0) {
    failed("enter for the output helper", plan->directory);
  }
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) {
    failed("open", "/dev/null");
  }
  dup2(nowhere, 1);
  open_errors(plan->errors != NULL ? plan->errors : plan->output);
  for (int signal = 1; signal < NSIG; signal++) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(signal, &action, NULL);
  }
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execve(asked->program, asked->arguments, asked->environment);
  failed("run the output helper", asked->program);
}

bool helper_start(
    struct helper *helper,
    const struct plan *plan,
    int number,
    const struct rlimit *files,
    char problem[PROBLEM_SIZE]) {
  int input[2];
  int report[2];
  snprintf(helper->name, sizeof helper->name, "%s", plan->helpers[number].program);
  if (pipe2(input, O_CLOEXEC) != 0 || fcntl(input[1], F_SETFL, O_NONBLOCK) != 0
      || pipe2(report, O_CLOEXEC) != 0) {
    snprintf(problem, PROBLEM_SIZE, "cannot make pipes: %s", strerror(errno));
    return false;
  }
  pid_t pid = fork();
  if (pid == 0) {
    run(plan, number, input[0], report[1], files);
  }
  close(input[0]);
  close(report[1]);
  if (pid < 0) {
    snprintf(problem, PROBLEM_SIZE, "cannot fork for the output helper: %s", strerror(errno));
    return false;
  }
  /* It ends with the beginning of the program, or with why there is none. */
  struct pollfd said = {.fd = report[0], .events = POLLIN};
  ssize_t length;
  /* All signals are blocked here, so that nothing interrupts. */
  if (poll(&said, 1, helper_begin_most) > 0) {
    length = read(report[0], problem, PROBLEM_SIZE - 1);
  } else {
    length = snprintf(
        problem,
        PROBLEM_SIZE,
        "the output helper '%.160s' did not begin within %d s",
        helper->name,
        helper_begin_most / 1000);
  }
  close(report[0]);
  if (length > 0) {
    problem[length] = 0;
    close(input[1]);
    kill(pid, SIGKILL);
    return false;
  }
  helper->pid = pid;
  helper->to = input[1];
  return true;
}

bool helper_feed(struct helper *helper) {
  size_t done = 0;
  bool open = true;
  while (done < helper->waiting.length) {
    ssize_t count = write(helper->to, helper->waiting.at + done, helper->waiting.length - done);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0 && errno != EAGAIN) {
      open = false;
    }
    if (count <= 0) {
      break;
    }
    done += (size_t)count;
  }
  buffer_drop(&helper->waiting, done);
  return open;
}

void helper_close(struct helper *helper) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", helper->to);
  helper->unread = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  int problem = errno;
  close(helper->to);
  helper->to = -1;
  errno = problem;
}
