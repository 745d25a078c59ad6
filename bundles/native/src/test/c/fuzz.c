/*
 * Gives the parser what nobody would send: frames that are put together well and then bent, for so
 * many milliseconds. The same seed does the same. Usage: fuzz SEED MILLISECONDS
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "plan.h"

static uint64_t state;

static uint64_t draw(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static size_t below(size_t bound) {
  return (size_t)(draw() % bound);
}

static const char *const words[] = {"", "/", "/a/b", "A=b", "=", "sh", "c1", "hold", "mounts",
    "RLIMIT_NOFILE", "/sys/fs/cgroup/x/cgroup.procs", "0123456789abcdefRLIMIT_AS"};

/* What reads output, in a field of its own. */
static void helper(struct buffer *buffer) {
  struct buffer value = {0};
  const uint8_t stream[4] = {0, 0, 0, (uint8_t)(1 + below(2))};
  buffer_add(&value, stream, sizeof stream);
  field_text(&value, TAG_PROGRAM, "/bin/sh");
  field_text(&value, TAG_ARGUMENT, "sh");
  for (size_t more = below(6); more > 0; more--) {
    uint16_t tag = (uint16_t)(below(16) == 0 ? draw() : TAG_PROGRAM + below(3));
    field_text(&value, tag, words[below(sizeof words / sizeof *words)]);
  }
  field_bytes(buffer, TAG_HELPER, value.at, value.length);
  buffer_free(&value);
}

static const char *const paths_below[] = {"data", "", "a/b", "..", "a/../b", "/"};

/* Mounts in a namespace, or nearly. */
static void corpus_mounts(struct buffer *buffer) {
  static const uint8_t own[17] = "\0\0\0\0\0\0\0\0\0\0\0\0mount";
  static const uint8_t other[17] = "\0\0\0\7\0\0\0\0\0\0\0\1mount";
  if (below(3) == 0) {
    field_bytes(buffer, TAG_NAMESPACE, other, sizeof other);
  }
  if (below(5) != 0) {
    field_bytes(buffer, TAG_NAMESPACE, own, sizeof own);
  }
  for (size_t mounts = below(4); mounts > 0; mounts--) {
    uint8_t value[64] = {0, 0, 0, (uint8_t)(below(9))};
    size_t length = 4;
    const char *texts[3] = {"/from", "/sandbox", paths_below[below(6)]};
    for (int text = 0; text < 3; text++) {
      memcpy(value + length, texts[text], strlen(texts[text]) + 1);
      length += strlen(texts[text]) + 1;
    }
    field_bytes(buffer, TAG_MOUNT, value, length - 1 + below(2));
  }
}

static void corpus(struct buffer *buffer) {
  size_t frames = 1 + below(3);
  for (size_t i = 0; i < frames; i++) {
    size_t begin = frame_begin(buffer, (uint16_t)(below(4) == 0 ? below(130) : TYPE_LAUNCH), 1);
    if (below(2) == 0) {
      field_text(buffer, TAG_CONTAINER, "c1");
      field_text(buffer, TAG_FOLDER, "/run/c1");
      field_text(buffer, TAG_DIRECTORY, "/sandbox");
      field_text(buffer, TAG_PROGRAM, "sh");
      field_text(buffer, TAG_ARGUMENT, "sh");
      if (below(4) != 0) {
        field_text(buffer, TAG_OUTPUT, "stdout");
        field_text(buffer, TAG_ERRORS, "stderr");
      }
      if (below(3) == 0) {
        static const uint8_t streams[16] = {0, 0, 0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0x10, 0};
        field_bytes(buffer, TAG_ROTATION, streams, sizeof streams);
      }
      if (below(3) == 0) {
        helper(buffer);
      }
      if (below(3) == 0) {
        corpus_mounts(buffer);
      }
      if (below(3) == 0) {
        static const uint8_t window[8] = {0, 0, 0, 24, 0, 0, 0, 80};
        field_u32(buffer, TAG_ATTACH, (uint32_t)below(3));
        if (below(2) == 0) {
          field_bytes(buffer, TAG_WINDOW, window, sizeof window);
        }
      }
    }
    for (size_t fields = below(12); fields > 0; fields--) {
      uint16_t tag = (uint16_t)(below(8) == 0 ? draw() : below(TAG_HELPER + 1));
      switch (below(4)) {
        case 0: field_u32(buffer, tag, (uint32_t)(below(2) == 0 ? below(3) : draw())); break;
        case 1: {
          uint8_t noise[96];
          for (size_t n = 0; n < sizeof noise; n++) {
            noise[n] = (uint8_t)draw();
          }
          field_bytes(buffer, tag, noise, below(sizeof noise));
          break;
        }
        default: field_text(buffer, tag, words[below(sizeof words / sizeof *words)]);
      }
    }
    frame_end(buffer, begin);
  }
}

static void bend(struct buffer *buffer) {
  for (size_t times = below(5); times > 0 && buffer->length > 0; times--) {
    size_t at = below(buffer->length);
    switch (below(5)) {
      case 0: buffer->at[at] ^= (uint8_t)(1U << below(8)); break;
      case 1: buffer->at[at] = (uint8_t)draw(); break;
      case 2: buffer->length = at; break;
      case 3: memset(buffer->at + at, below(2) == 0 ? 0xff : 0, below(buffer->length - at) + 1); break;
      default:
        memmove(buffer->at, buffer->at + at, buffer->length - at);
        buffer->length -= at;
    }
  }
}

/* Touches all that a plan points to, so that a sanitizer sees what is not its own. */
static size_t weigh(const struct plan *plan) {
  size_t weight = strlen(plan->id) + strlen(plan->folder) + strlen(plan->program)
      + strlen(plan->directory);
  const char *const files[] = {plan->input, plan->output, plan->errors};
  for (int file = 0; file < 3; file++) {
    weight += files[file] == NULL ? 0 : strlen(files[file]);
  }
  for (int stream = 0; stream < 2; stream++) {
    CHECK(plan->rotations[stream].most == 0 || files[stream + 1] != NULL);
  }
  CHECK(plan->reach != REACH_NOBODY || (files[1] != NULL && files[2] != NULL && !plan->terminal));
  char *const *const lists[] = {
      plan->arguments,
      plan->environment,
      plan->cgroups,
      plan->helpers[0].arguments,
      plan->helpers[0].environment,
      plan->helpers[1].arguments,
      plan->helpers[1].environment,
  };
  for (int stream = 0; stream < 2; stream++) {
    const struct helper_plan *reader = &plan->helpers[stream];
    CHECK((reader->program != NULL) == (reader->arguments != NULL));
    CHECK((reader->program != NULL) == (reader->environment != NULL));
    CHECK(reader->program == NULL || (*reader->program == '/' && files[stream + 1] != NULL));
    weight += reader->program == NULL ? 0 : strlen(reader->program);
  }
  for (int list = 0; list < 7; list++) {
    for (char *const *text = lists[list]; text != NULL && *text != NULL; text++) {
      CHECK((char *)plan->arena <= *text
          && *text + strlen(*text) < (char *)plan->arena + plan->arena_size);
      weight += strlen(*text);
    }
  }
  for (size_t i = 0; i < plan->mount_count; i++) {
    const struct mount *mount = &plan->mounts[i];
    CHECK(*mount->source == '/' && *mount->target == '/' && *mount->below != '/');
    CHECK(plan->own_mounts && strncmp(mount->below, "..", 3) != 0);
    CHECK(strncmp(mount->below, "../", 3) != 0 && strstr(mount->below, "/../") == NULL);
    weight += strlen(mount->source) + strlen(mount->target) + strlen(mount->below);
  }
  for (size_t i = 0; i < plan->group_count; i++) {
    weight += plan->groups[i];
  }
  CHECK(plan->limit_count <= RLIMITS_MOST);
  CHECK(strlen(plan->id) > 0 && strlen(plan->id) <= ID_MOST && *plan->folder == '/');
  return weight;
}

/* The same bytes at the very end of their pages: one too many read is a fault, not only a report. */
static struct bytes at_the_edge(const struct buffer *buffer, uint8_t *pages, size_t size) {
  uint8_t *at = pages + size - buffer->length;
  if (buffer->length > 0) {
    memcpy(at, buffer->at, buffer->length);
  }
  struct bytes bytes = {at, buffer->length};
  return bytes;
}

static long milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int count, char **arguments) {
  CHECK(count == 3);
  state = strtoull(arguments[1], NULL, 10) * 2 + 1;
  long end = milliseconds() + atol(arguments[2]);
  size_t size = 1 << 16;
  uint8_t *pages = mmap(NULL, size + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(pages != MAP_FAILED && mprotect(pages + size, 4096, PROT_NONE) == 0);
  unsigned long rounds = 0;
  unsigned long plans = 0;
  unsigned long refusals = 0;
  size_t weight = 0;
  while (rounds % 256 != 0 || milliseconds() < end) {
    struct buffer buffer = {0};
    struct frame frame;
    size_t taken;
    corpus(&buffer);
    bend(&buffer);
    CHECK(buffer.length <= size);
    struct bytes rest = at_the_edge(&buffer, pages, size);
    while (frame_next(rest, &frame, &taken) == 1) {
      struct plan plan;
      char problem[PROBLEM_SIZE];
      char text[ID_MOST + 1];
      uint32_t number;
      CHECK(taken >= FRAME_HEADER && taken <= rest.length);
      if (plan_parse(frame.body, &plan, problem)) {
        weight += weigh(&plan);
        plan_free(&plan);
        plans++;
      } else {
        CHECK(strlen(problem) > 0 && plan.arena == NULL);
        refusals++;
      }
      weight += body_text(frame.body, TAG_CONTAINER, text, sizeof text) ? strlen(text) : 0;
      weight += body_u32(frame.body, TAG_SIGNAL, &number) ? number : 0;
      uint16_t rows;
      uint16_t columns;
      struct bytes window;
      weight += body_find(frame.body, TAG_WINDOW, &window) && parse_window(window, &rows, &columns)
          ? rows
          : 0;
      weight += hello_problem(frame.body) == NULL ? 1 : 0;
      rest.at += taken;
      rest.length -= taken;
    }
    buffer_free(&buffer);
    rounds++;
  }
  printf("%lu rounds, %lu plans, %lu refusals, weight %zu\n", rounds, plans, refusals, weight);
  CHECK(plans > 0 && refusals > 0);
  return 0;
}
