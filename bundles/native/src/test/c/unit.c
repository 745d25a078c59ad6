/* What the parts of the launcher do, each by itself. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "helper.h"
#include "log.h"
#include "mounts.h"
#include "plan.h"
#include "process.h"

static struct bytes all(const struct buffer *buffer) {
  struct bytes bytes = {buffer->at, buffer->length};
  return bytes;
}

static void frames_come_whole_or_not_at_all(void) {
  struct buffer buffer = {0};
  frame_error(&buffer, 77, "no");
  struct frame frame;
  size_t taken;
  for (size_t length = 0; length < buffer.length; length++) {
    struct bytes part = {buffer.at, length};
    CHECK(frame_next(part, &frame, &taken) == 0);
  }
  CHECK(frame_next(all(&buffer), &frame, &taken) == 1);
  CHECK(taken == buffer.length && frame.type == TYPE_ERROR && frame.number == 77);
  char text[3];
  CHECK(body_text(frame.body, TAG_TEXT, text, sizeof text) && strcmp(text, "no") == 0);
  CHECK(!body_text(frame.body, TAG_TEXT, text, 2));
  CHECK(!body_text(frame.body, TAG_PATH, text, sizeof text));
  buffer_free(&buffer);
}

static void lengths_that_cannot_be_are_broken(void) {
  struct frame frame;
  struct field field;
  size_t taken;
  const uint8_t small[12] = {0, 0, 0, 7};
  const uint8_t large[12] = {0xff, 0xff, 0xff, 0xff};
  struct bytes bytes = {small, sizeof small};
  CHECK(frame_next(bytes, &frame, &taken) == -1);
  bytes.at = large;
  CHECK(frame_next(bytes, &frame, &taken) == -1);
  const uint8_t cut[7] = {0, 1, 0, 0, 0, 2, 'x'};
  bytes.at = cut;
  bytes.length = sizeof cut;
  CHECK(field_next(&bytes, &field) == -1);
  bytes.length = 5;
  CHECK(field_next(&bytes, &field) == -1);
}

static void buffers_forget_what_is_dropped(void) {
  struct buffer buffer = {0};
  buffer_add(&buffer, "secret", 6);
  buffer_add(&buffer, "rest", 4);
  buffer_drop(&buffer, 6);
  CHECK(buffer.length == 4 && memcmp(buffer.at, "rest", 4) == 0);
  CHECK(memmem(buffer.at, buffer.capacity, "secret", 6) == NULL);
  for (int i = 4; i < 10; i++) {
    CHECK(buffer.at[i] == 0);
  }
  buffer_free(&buffer);
}

static void hellos(void) {
  static const struct {
    uint8_t version[4];
    bool welcome;
  } cases[] = {{{0, 1, 0, 0}, true}, {{0, 1, 0, 1}, true}, {{0, 1, 0, 99}, true}, {{0, 2, 0, 0}, false},
      {{0, 0, 0, 9}, false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct buffer body = {0};
    field_bytes(&body, 999, "of a later version", 18);
    field_bytes(&body, TAG_VERSION, cases[i].version, 4);
    CHECK((hello_problem(all(&body)) == NULL) == cases[i].welcome);
    buffer_free(&body);
  }
  struct bytes nothing = {NULL, 0};
  CHECK(hello_problem(nothing) != NULL);
}

static void complete(struct buffer *body) {
  field_text(body, TAG_CONTAINER, "c1");
  field_text(body, TAG_FOLDER, "/run/c1");
  field_text(body, TAG_DIRECTORY, "/sandbox");
  field_text(body, TAG_PROGRAM, "sh");
  field_text(body, TAG_ARGUMENT, "sh");
  field_text(body, TAG_ARGUMENT, "");
  field_text(body, TAG_VARIABLE, "A==x");
  field_text(body, TAG_OUTPUT, "stdout");
  field_text(body, TAG_ERRORS, "stderr");
}

static void plans_are_what_was_sent(void) {
  struct buffer body = {0};
  struct plan plan;
  char problem[PROBLEM_SIZE];
  complete(&body);
  field_text(&body, TAG_FEATURE, "rlimits");
  field_text(&body, TAG_CGROUP, "/sys/fs/cgroup/x/cgroup.procs");
  field_u32(&body, TAG_HOLD, 1);
  field_u32(&body, TAG_UMASK, 077);
  const uint8_t user[16] = {0, 0, 1, 2, 0, 0, 0, 3, 0, 0, 0, 3, 0, 0, 0, 4};
  field_bytes(&body, TAG_USER, user, sizeof user);
  const char limit[] = "\0\0\0\0\0\0\0\7\xff\xff\xff\xff\xff\xff\xff\xffRLIMIT_NOFILE";
  field_bytes(&body, TAG_RLIMIT, limit, sizeof limit - 1);
  CHECK(plan_parse(all(&body), &plan, problem));
  CHECK(strcmp(plan.id, "c1") == 0 && strcmp(plan.program, "sh") == 0);
  CHECK(strcmp(plan.arguments[1], "") == 0 && plan.arguments[2] == NULL);
  CHECK(strcmp(plan.environment[0], "A==x") == 0 && plan.environment[1] == NULL);
  CHECK(plan.cgroups[0] != NULL && plan.cgroups[1] == NULL);
  CHECK(plan.hold && plan.mask == 077 && plan.input == NULL);
  CHECK(plan.switch_user && plan.user == 258 && plan.group == 3);
  CHECK(plan.group_count == 2 && plan.groups[1] == 4);
  CHECK(plan.limit_count == 1 && plan.limits[0].resource == RLIMIT_NOFILE);
  CHECK(plan.limits[0].value.rlim_cur == 7 && plan.limits[0].value.rlim_max == RLIM_INFINITY);
  plan_free(&plan);
  buffer_free(&body);
}

static void refused(struct buffer *body, const char *because) {
  struct plan plan;
  char problem[PROBLEM_SIZE];
  CHECK(!plan_parse(all(body), &plan, problem));
  if (strstr(problem, because) == NULL) {
    fprintf(stderr, "'%s' does not say '%s'\n", problem, because);
    exit(1);
  }
  buffer_free(body);
}

static void plans_that_are_not_understood_are_refused_by_name(void) {
  struct buffer body = {0};
  complete(&body);
  field_text(&body, TAG_FEATURE, "devices");
  refused(&body, "feature 'devices' is not known");
  complete(&body);
  field_text(&body, TAG_FEATURE, "mounts\n\033[31m");
  refused(&body, "feature 'mounts??[31m'");
  complete(&body);
  field_text(&body, TAG_FEATURE, "hol");
  refused(&body, "feature 'hol'");
  complete(&body);
  field_text(&body, 500, "");
  refused(&body, "field 500 is not known");
  complete(&body);
  field_text(&body, TAG_SIGNAL, "");
  refused(&body, "field 16 is not known");
  complete(&body);
  field_bytes(&body, TAG_RLIMIT, "0123456789abcdefRLIMIT_LUCK", 27);
  refused(&body, "RLIMIT_LUCK");
  complete(&body);
  field_text(&body, TAG_PROGRAM, "again");
  refused(&body, "field program: it stands there twice");
  complete(&body);
  field_bytes(&body, TAG_ARGUMENT, "a\0b", 3);
  refused(&body, "field argument: there is a NUL");
  complete(&body);
  field_text(&body, TAG_VARIABLE, "=x");
  refused(&body, "field variable");
  complete(&body);
  field_u32(&body, TAG_HOLD, 2);
  refused(&body, "field hold");
  complete(&body);
  field_bytes(&body, TAG_USER, "1234", 4);
  refused(&body, "field user");
  complete(&body);
  field_text(&body, TAG_CGROUP, "relative");
  refused(&body, "field cgroup");
  complete(&body);
  field_u32(&body, TAG_ATTACH, 3);
  refused(&body, "field attach");
  complete(&body);
  field_text(&body, TAG_WINDOW, "1234");
  refused(&body, "field window: two numbers");
  const uint8_t window[8] = {0, 0, 0, 24, 0, 0, 0, 80};
  complete(&body);
  field_bytes(&body, TAG_WINDOW, window, sizeof window);
  refused(&body, "needs the field attach");
  complete(&body);
  field_bytes(&body, TAG_WINDOW, window, sizeof window);
  field_u32(&body, TAG_ATTACH, 1);
  refused(&body, "field errors: a terminal has one output");
  complete(&body);
  field_u32(&body, TAG_ATTACH, 1);
  field_text(&body, TAG_INPUT, "/dev/null");
  refused(&body, "field input");
  uint8_t rotation[16] = {0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x10, 0};
  complete(&body);
  field_bytes(&body, TAG_ROTATION, rotation, sizeof rotation);
  field_bytes(&body, TAG_ROTATION, rotation, sizeof rotation);
  refused(&body, "field rotation: there are two for stream 1");
  complete(&body);
  field_bytes(&body, TAG_ROTATION, rotation, 15);
  refused(&body, "field rotation: a stream");
  rotation[3] = 3;
  complete(&body);
  field_bytes(&body, TAG_ROTATION, rotation, sizeof rotation);
  refused(&body, "field rotation: the streams");
  rotation[3] = 1;
  rotation[14] = 0x0f;
  complete(&body);
  field_bytes(&body, TAG_ROTATION, rotation, sizeof rotation);
  refused(&body, "field rotation: at least 4096 bytes");
  rotation[14] = 0x10;
  body.length = 0;
  field_text(&body, TAG_CONTAINER, "c1");
  field_text(&body, TAG_FOLDER, "/run/c1");
  field_text(&body, TAG_DIRECTORY, "/sandbox");
  field_text(&body, TAG_PROGRAM, "sh");
  field_text(&body, TAG_ARGUMENT, "sh");
  field_text(&body, TAG_OUTPUT, "/elsewhere/stdout");
  field_text(&body, TAG_ERRORS, "stderr");
  field_bytes(&body, TAG_ROTATION, rotation, sizeof rotation);
  refused(&body, "in the directory itself");
  complete(&body);
  body.length -= 1;
  refused(&body, "cut off");
  struct buffer nothing = {0};
  refused(&nothing, "field container");
}

/* A field that names what reads a stream. */
static void helper(struct buffer *body, uint8_t stream, const char *program, const char *variable) {
  struct buffer value = {0};
  const uint8_t number[4] = {0, 0, 0, stream};
  buffer_add(&value, number, sizeof number);
  field_text(&value, TAG_VARIABLE, variable);
  field_text(&value, TAG_ARGUMENT, "logger");
  field_text(&value, TAG_PROGRAM, program);
  field_text(&value, TAG_ARGUMENT, "-t");
  field_bytes(body, TAG_HELPER, value.at, value.length);
  buffer_free(&value);
}

static void plans_name_helpers(void) {
  struct buffer body = {0};
  struct plan plan;
  char problem[PROBLEM_SIZE];
  complete(&body);
  helper(&body, 2, "/bin/logger", "A=b");
  CHECK(plan_parse(all(&body), &plan, problem));
  CHECK(plan.helpers[0].program == NULL && strcmp(plan.helpers[1].program, "/bin/logger") == 0);
  CHECK(strcmp(plan.helpers[1].arguments[0], "logger") == 0);
  CHECK(strcmp(plan.helpers[1].arguments[1], "-t") == 0 && plan.helpers[1].arguments[2] == NULL);
  CHECK(strcmp(plan.helpers[1].environment[0], "A=b") == 0);
  CHECK(plan.helpers[1].environment[1] == NULL);
  plan_free(&plan);
  helper(&body, 2, "/bin/logger", "A=b");
  refused(&body, "field helper: there are two for stream 2");
  complete(&body);
  helper(&body, 3, "/bin/logger", "A=b");
  refused(&body, "field helper: the streams");
  complete(&body);
  field_bytes(&body, TAG_HELPER, "\0\0", 2);
  refused(&body, "field helper: the streams");
  complete(&body);
  helper(&body, 1, "logger", "A=b");
  refused(&body, "field helper: one absolute path");
  complete(&body);
  helper(&body, 1, "/bin/logger", "=b");
  refused(&body, "field helper: a variable");
  complete(&body);
  field_bytes(&body, TAG_HELPER, "\0\0\0\1\0\4\0\0\0\2/b\0\5\0\0\0\0x", 19);
  refused(&body, "field helper: its last field is cut off");
  complete(&body);
  field_bytes(&body, TAG_HELPER, "\0\0\0\1\0\4\0\0\0\2/b", 12);
  refused(&body, "field helper: a program and at least its name");
  complete(&body);
  field_bytes(&body, TAG_HELPER, "\0\0\0\1\0\4\0\0\0\2/\0", 12);
  refused(&body, "field helper: there is a NUL");
  complete(&body);
  field_bytes(&body, TAG_HELPER, "\0\0\0\1\0\7\0\0\0\2/b", 12);
  refused(&body, "field helper: field 7 in it is not known");
  body.length = 0;
  field_text(&body, TAG_CONTAINER, "c1");
  field_text(&body, TAG_FOLDER, "/run/c1");
  field_text(&body, TAG_DIRECTORY, "/sandbox");
  field_text(&body, TAG_PROGRAM, "sh");
  field_text(&body, TAG_ARGUMENT, "sh");
  field_u32(&body, TAG_ATTACH, 1);
  helper(&body, 1, "/bin/logger", "A=b");
  refused(&body, "field helper: a file is needed");
}

static void plans_say_who_reads_and_writes(void) {
  struct buffer body = {0};
  struct plan plan;
  char problem[PROBLEM_SIZE];
  complete(&body);
  const uint8_t rotation[16] = {0, 0, 0, 2, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x10, 0};
  field_bytes(&body, TAG_ROTATION, rotation, sizeof rotation);
  CHECK(plan_parse(all(&body), &plan, problem));
  CHECK(plan.rotations[0].most == 0 && plan.rotations[1].most == 4096);
  CHECK(plan.rotations[1].older == 5 && plan.reach == REACH_NOBODY && !plan.terminal);
  plan_free(&plan);
  body.length = 0;
  const uint8_t window[8] = {0, 0, 0, 24, 0, 0, 0, 80};
  field_text(&body, TAG_CONTAINER, "c1");
  field_text(&body, TAG_FOLDER, "/run/c1");
  field_text(&body, TAG_DIRECTORY, "/sandbox");
  field_text(&body, TAG_PROGRAM, "sh");
  field_text(&body, TAG_ARGUMENT, "sh");
  field_bytes(&body, TAG_WINDOW, window, sizeof window);
  field_u32(&body, TAG_ATTACH, 2);
  CHECK(plan_parse(all(&body), &plan, problem));
  CHECK(plan.terminal && plan.rows == 24 && plan.columns == 80 && plan.reach == REACH_AWAITED);
  CHECK(plan.output == NULL && plan.errors == NULL);
  plan_free(&plan);
  buffer_free(&body);
}

static void add_namespace(struct buffer *body, uint8_t process, const char *name) {
  uint8_t value[32] = {0, 0, 0, process, 0, 0, 0, 0, 0, 0, 0, 9};
  size_t length = strlen(name);
  memcpy(value + 12, name, length);
  field_bytes(body, TAG_NAMESPACE, value, 12 + length);
}

/* With so many texts of those given. */
static void add_mount(struct buffer *body, uint32_t flags, int count, const char *const *texts) {
  uint8_t value[512] = {0, 0, 0, (uint8_t)flags};
  size_t length = 4;
  for (int i = 0; i < count; i++) {
    size_t more = strlen(texts[i]);
    memcpy(value + length, texts[i], more);
    length += more + 1;
  }
  field_bytes(body, TAG_MOUNT, value, length - 1);
}

static void plans_say_what_is_mounted(void) {
  struct buffer body = {0};
  struct plan plan;
  char problem[PROBLEM_SIZE];
  const char *const first[] = {"/from", "/sandbox", "data/x"};
  const char *const second[] = {"/", "/etc", ""};
  complete(&body);
  add_namespace(&body, 7, "mount");
  add_namespace(&body, 0, "mount");
  add_mount(&body, 3, 3, first);
  add_mount(&body, 4, 3, second);
  CHECK(plan_parse(all(&body), &plan, problem));
  CHECK(plan.own_mounts && plan.mounts_of == 7 && plan.mounts_of_start == 9);
  CHECK(plan.mount_count == 2 && strcmp(plan.mounts[0].source, "/from") == 0);
  CHECK(strcmp(plan.mounts[0].target, "/sandbox") == 0);
  CHECK(strcmp(plan.mounts[0].below, "data/x") == 0);
  CHECK(plan.mounts[0].read_only && plan.mounts[0].as_user && !plan.mounts[0].fixes_rights);
  CHECK(strcmp(plan.mounts[1].source, "/") == 0 && strcmp(plan.mounts[1].target, "/etc") == 0);
  CHECK(*plan.mounts[1].below == 0 && !plan.mounts[1].read_only && plan.mounts[1].fixes_rights);
  CHECK(strcmp(plan.program, "sh") == 0);
  plan_free(&plan);

  static const struct {
    uint32_t flags;
    int count;
    const char *texts[4];
  } wrong[] = {
      {8, 3, {"/a", "/b", "c"}}, {0, 2, {"/a", "/b"}}, {0, 4, {"/a", "/b", "c", "d"}},
      {0, 3, {"a", "/b", "c"}}, {0, 3, {"/a", "b", "c"}}, {0, 3, {"/a", "/b", "/c"}},
      {0, 3, {"/a", "/b", "c/../d"}}, {0, 3, {"/a", "/b", "c/.."}}, {0, 3, {"/a", "/b", "./c"}},
      {0, 3, {"/a", "/b", "c/"}}, {0, 3, {"/a", "/b", "c//d"}}, {0, 3, {"/a", "/b", ".."}}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    body.length = 0;
    complete(&body);
    add_namespace(&body, 0, "mount");
    add_mount(&body, wrong[i].flags, wrong[i].count, wrong[i].texts);
    refused(&body, "field mount: ");
  }
  complete(&body);
  add_mount(&body, 0, 3, first);
  refused(&body, "a mount namespace of its own");
  complete(&body);
  add_namespace(&body, 0, "mount");
  for (int i = 0; i <= MOUNTS_MOST; i++) {
    add_mount(&body, 0, 3, first);
  }
  refused(&body, "more than 1024");
  complete(&body);
  add_namespace(&body, 0, "pid");
  refused(&body, "'pid' is none that this launcher makes");
  complete(&body);
  add_namespace(&body, 0, "mount");
  add_namespace(&body, 7, "mount");
  refused(&body, "one to enter and then one of its own");
  complete(&body);
  field_text(&body, TAG_NAMESPACE, "mount");
  refused(&body, "field namespace: a number");
  buffer_free(&body);
}

/* What is in a file of a folder; how much. */
static size_t content(int folder, const char *name, char *text, size_t size) {
  int file = openat(folder, name, O_RDONLY);
  if (file < 0) {
    return SIZE_MAX;
  }
  ssize_t count = read(file, text, size);
  CHECK(count >= 0);
  close(file);
  return (size_t)count;
}

static void add(struct log *log, int folder, const char *text) {
  const struct owner owner = {.mask = 022};
  log_write(log, folder, &owner, (const uint8_t *)text, strlen(text));
}

static int open_log(int folder) {
  int file = openat(folder, "out", O_WRONLY | O_CREAT | O_APPEND, 0600);
  CHECK(file >= 0);
  return file;
}

static void logs_lose_nothing_between_files(void) {
  char path[] = "/tmp/mezzo-log-XXXXXX";
  char text[256];
  struct log log;
  const struct rotation small = {10, 2};
  CHECK(mkdtemp(path) != NULL);
  int folder = open(path, O_DIRECTORY | O_RDONLY);
  int before = open_log(folder);
  CHECK(write(before, "before\n", 7) == 7);
  log_begin(&log, before, "out", &small);
  /* What was there counts; whole lines stay whole. */
  add(&log, folder, "1\n2\n34\n5");
  CHECK(content(folder, "out.1", text, sizeof text) == 9 && memcmp(text, "before\n1\n", 9) == 0);
  CHECK(content(folder, "out", text, sizeof text) == 6 && memcmp(text, "2\n34\n5", 6) == 0);
  /* A line longer than a file is torn, and the oldest file goes. */
  add(&log, folder, "\nabcdefghijklmnopqrstuvwxyz\n");
  CHECK(content(folder, "out", text, sizeof text) == 7 && memcmp(text, "uvwxyz\n", 7) == 0);
  CHECK(content(folder, "out.1", text, sizeof text) == 10 && memcmp(text, "klmnopqrst", 10) == 0);
  CHECK(content(folder, "out.2", text, sizeof text) == 10 && memcmp(text, "abcdefghij", 10) == 0);
  CHECK(content(folder, "out.3", text, sizeof text) == SIZE_MAX);
  /* A user who has put something else there gets no file opened by it; what comes is kept. */
  CHECK(unlinkat(folder, "out.1", 0) == 0 && mkdirat(folder, "out.1", 0700) == 0);
  CHECK(unlinkat(folder, "out.2", 0) == 0 && symlinkat("/nowhere", folder, "out.2") == 0);
  CHECK(mkdirat(folder, "out.1/full", 0700) == 0);
  add(&log, folder, "3456\n7\n");
  CHECK(content(folder, "out", text, sizeof text) >= 7);
  close(log.file);
  unlinkat(folder, "out.1/full", AT_REMOVEDIR);
  unlinkat(folder, "out.1", AT_REMOVEDIR);
  unlinkat(folder, "out.2", AT_REMOVEDIR);
  unlinkat(folder, "out.2", 0);
  unlinkat(folder, "out", 0);
  /* With none older the file begins anew. */
  const struct rotation alone = {10, 0};
  log_begin(&log, open_log(folder), "out", &alone);
  add(&log, folder, "12345678\nx\n");
  CHECK(content(folder, "out", text, sizeof text) == 2 && memcmp(text, "x\n", 2) == 0);
  close(log.file);
  unlinkat(folder, "out", 0);
  close(folder);
  rmdir(path);
}

static void logs_say_what_they_could_not_write(void) {
  char path[] = "/tmp/mezzo-log-XXXXXX";
  char text[256];
  struct log log;
  const struct rotation none = {0, 0};
  CHECK(mkdtemp(path) != NULL);
  int folder = open(path, O_DIRECTORY | O_RDONLY);
  int full = open("/dev/full", O_WRONLY);
  CHECK(full >= 0);
  log_begin(&log, full, "out", &none);
  add(&log, folder, "lost\n");
  add(&log, folder, "too\n");
  CHECK(log.lost == 9);
  log.file = open_log(folder);
  add(&log, folder, "kept\n");
  size_t length = content(folder, "out", text, sizeof text - 1);
  CHECK(length < sizeof text);
  text[length] = 0;
  CHECK(strcmp(text, "\nmezzo: 9 bytes of output are missing here: No space left on device\nkept\n") == 0);
  close(log.file);
  close(full);
  unlinkat(folder, "out", 0);
  close(folder);
  rmdir(path);
}

/* Has every call of that number of this process from now on fail. */
static void forbid(unsigned call, unsigned problem) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | problem),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
}

static void spawn_and_wait(int cgroup, bool *in_cgroup) {
  pid_t pid = spawn_process(cgroup, in_cgroup);
  CHECK(pid >= 0);
  if (pid == 0) {
    _exit(7);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* A kernel that has no clone3, and a filter that forbids it, are the same to a launch. */
static void without_clone3_it_forks(void) {
  static const unsigned problems[] = {ENOSYS, EPERM};
  for (size_t i = 0; i < 2; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      bool in_cgroup = true;
      int folder = open("/", O_DIRECTORY | O_RDONLY);
      forbid(435, problems[i]);
      CHECK(syscall(435, NULL, 0) == -1 && errno == (int)problems[i]);
      spawn_and_wait(folder, &in_cgroup);
      CHECK(!in_cgroup);
      exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  }
  /* What is no cgroup of version 2 is nothing to be born into either. */
  bool in_cgroup = true;
  int folder = open("/", O_DIRECTORY | O_RDONLY);
  spawn_and_wait(folder, &in_cgroup);
  CHECK(!in_cgroup && open_unified("/cgroup.procs") == -1);
  close(folder);
}

static bool writable(const char *folder, const char *name, int *problem) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  *problem = errno;
  if (fd >= 0) {
    close(fd);
  }
  return fd >= 0;
}

/*
 * In a namespace of its own, whose mounts are shared so that what leaks is seen: a folder for
 * reading only, with something mounted in it, and another for writing.
 */
static void mount_some(const char *path, bool old_kernel) {
  char text[MOUNT_PROBLEM_SIZE];
  char paths[5][256];
  static const char *const names[] = {"run", "from", "from/inner", "to", "other"};
  struct statvfs mounted;
  int problem;
  CHECK(unshare(CLONE_NEWNS) == 0);
  CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
  CHECK(mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) == 0);
  for (int i = 0; i < 5; i++) {
    snprintf(paths[i], sizeof paths[i], "%s/%s", path, names[i]);
    CHECK(mkdir(paths[i], 0755) == 0);
    if (i == 1 || i == 2) {
      CHECK(mount("none", paths[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0);
    }
  }
  CHECK(writable(paths[1], "file", &problem) && writable(paths[2], "deep", &problem));
  struct mount mounts[] = {
      {.source = paths[1], .target = path, .below = "to", .read_only = true},
      {.source = paths[1], .target = paths[4], .below = ""},
      {.source = "/etc/hostname/none", .target = paths[4], .below = ""},
  };
  struct plan plan = {
      .folder = paths[0], .own_mounts = true, .mounts = mounts, .mount_count = 2};
  int folder = open(paths[0], O_DIRECTORY | O_RDONLY | O_CLOEXEC);
  pid_t pid = fork();
  if (pid == 0) {
    char deep[300];
    snprintf(deep, sizeof deep, "%s/inner/deep", paths[3]);
    if (old_kernel) {
      forbid(442, ENOSYS);
    }
    CHECK(mounts_make(&plan, folder, text));
    CHECK(!writable(paths[3], "file", &problem) && problem == EROFS);
    CHECK(!writable(paths[3], "inner/more", &problem) && problem == EROFS);
    CHECK((access(deep, F_OK) == 0) == !old_kernel);
    CHECK(statvfs(paths[3], &mounted) == 0);
    CHECK((mounted.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC))
        == (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
    /* The same is for writing elsewhere, as it was. */
    CHECK(writable(paths[4], "inner/more", &problem) && writable(paths[1], "x", &problem));
    plan.mount_count = 3;
    CHECK(!mounts_make(&plan, folder, text));
    CHECK(strstr(text, "cannot mount '/etc/hostname/none'") != NULL);
    exit(0);
  }
  int status;
  CHECK(waitpid(pid, &status, 0) == pid && status == 0);
  CHECK(access(paths[1], F_OK) == 0);
  CHECK(writable(paths[3], "mine", &problem) && writable(paths[4], "mine", &problem));
  CHECK(!faccessat(folder, "mount", F_OK, 0) == 0);
}

/* They need root, and a kernel that lets it make namespaces. */
static void what_is_mounted_stays_in_its_namespace(void) {
  for (int i = 0; i < 2 && geteuid() == 0; i++) {
    char path[] = "/tmp/mezzo-mounts-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    pid_t pid = fork();
    if (pid == 0) {
      if (unshare(CLONE_NEWNS) == 0) {
        mount_some(path, i == 1);
      } else {
        printf("no mount namespaces are possible here: mounts are not tested\n");
      }
      exit(0);
    }
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    static const char *const names[] = {"to/mine", "to", "other/mine", "other", "from", "run", "."};
    char left[256];
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
      snprintf(left, sizeof left, "%s/%s", path, names[n]);
      remove(left);
    }
    rmdir(path);
    CHECK(access(path, F_OK) != 0);
  }
}

static void start_times(void) {
  CHECK(start_time(getpid()) > 0);
  CHECK(start_time(getpid()) == start_time(getpid()));
  CHECK(start_time(0x3fffffff) == 0);
  /* A name with blanks and parentheses moves no field. */
  uint64_t before = start_time(getpid());
  rename_process("a) 1 2 (b");
  CHECK(start_time(getpid()) == before);
}

static void children_are_found(void) {
  int hold[2];
  CHECK(pipe(hold) == 0);
  for (int i = 0; i < 3; i++) {
    if (fork() == 0) {
      char none;
      close(hold[1]);
      _exit(read(hold[0], &none, 1) == 0 ? 0 : 1);
    }
  }
  CHECK(signal_children(getpid(), SIGKILL, NULL) == 3);
  for (int i = 0; i < 3; i++) {
    int status;
    CHECK(wait(&status) > 0 && WIFSIGNALED(status));
  }
  CHECK(signal_children(getpid(), SIGKILL, NULL) == 0);
  close(hold[0]);
  close(hold[1]);
}

/* A program that is leased to somebody cannot be opened until it is given back. */
static void helpers_have_a_bounded_time_to_begin(void) {
  char path[] = "/tmp/mezzo-helper-XXXXXX";
  char *arguments[] = {path, NULL};
  char *none[] = {NULL};
  char problem[PROBLEM_SIZE] = "";
  struct plan plan = {
      .directory = (char *)"/", .output = (char *)"/dev/null", .mask = 022};
  struct helper started = {0};
  struct rlimit files;
  sigset_t lease;
  int fd = mkstemp(path);
  CHECK(fd >= 0 && write(fd, "#!/bin/sh\n", 10) == 10 && fchmod(fd, 0700) == 0);
  close(fd);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  plan.helpers[0].program = path;
  plan.helpers[0].arguments = arguments;
  plan.helpers[0].environment = none;
  CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
  /* The kernel asks for it back. */
  sigemptyset(&lease);
  sigaddset(&lease, SIGIO);
  sigprocmask(SIG_BLOCK, &lease, NULL);
  int most = helper_begin_most;
  helper_begin_most = 1000;
  if (fcntl(fd, F_SETLEASE, F_WRLCK) == 0) {
    CHECK(!helper_start(&started, &plan, 0, &files, problem));
    CHECK(strstr(problem, "did not begin within 1 s") != NULL);
    int status;
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    fcntl(fd, F_SETLEASE, F_UNLCK);
  } else {
    printf("there are no leases of files here: a helper that does not begin is left out\n");
  }
  close(fd);
  helper_begin_most = 20000;
  CHECK(most == helper_begin_most);
  CHECK(helper_start(&started, &plan, 0, &files, problem));
  int status;
  CHECK(wait(&status) == started.pid && status == 0);
  helper_close(&started);
  close(started.unread);
  unlink(path);
}

int main(void) {
  frames_come_whole_or_not_at_all();
  lengths_that_cannot_be_are_broken();
  buffers_forget_what_is_dropped();
  hellos();
  plans_are_what_was_sent();
  plans_that_are_not_understood_are_refused_by_name();
  plans_say_who_reads_and_writes();
  plans_name_helpers();
  helpers_have_a_bounded_time_to_begin();
  plans_say_what_is_mounted();
  logs_lose_nothing_between_files();
  logs_say_what_they_could_not_write();
  without_clone3_it_forks();
  what_is_mounted_stays_in_its_namespace();
  start_times();
  children_are_found();
  printf("all is as it should be\n");
  return 0;
}
