/*
 * Frames and their fields, as docs/launcher-protocol.md has them: what is read comes from another
 * process and is never trusted, what is written is only as long as memory lasts.
 */
#ifndef MEZZO_WIRE_H
#define MEZZO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  VERSION_MAJOR = 1,
  VERSION_MINOR = 4,

  FRAME_HEADER = 12,
  FRAME_MOST = 8 << 20,
  FIELD_HEADER = 6,

  /* What a peer may leave unread before it is cut off. */
  OUTPUT_MOST = 16 << 20,
};

enum type {
  TYPE_HELLO = 1,
  TYPE_LAUNCH = 2,
  TYPE_RELEASE = 3,
  TYPE_SIGNAL = 4,
  TYPE_KILL = 5,
  TYPE_WRITE = 6,
  TYPE_LIST = 7,
  TYPE_RETIRE = 8,
  TYPE_WAIT = 9,
  TYPE_ATTACH = 10,
  TYPE_INPUT = 11,
  TYPE_CLOSE_INPUT = 12,
  TYPE_RESIZE = 13,
  TYPE_WATCH = 14,

  TYPE_STARTED = 64,
  TYPE_EXITED = 65,
  TYPE_FAILED = 66,
  TYPE_LOST = 67,
  TYPE_OUTPUT = 68,
  TYPE_END = 69,
  TYPE_MEMORY = 70,
  TYPE_HELPER_LOST = 71,

  TYPE_OK = 128,
  TYPE_ERROR = 129,
};

enum tag {
  TAG_CONTAINER = 1,
  TAG_FOLDER = 2,
  TAG_FEATURE = 3,
  TAG_PROGRAM = 4,
  TAG_ARGUMENT = 5,
  TAG_VARIABLE = 6,
  TAG_DIRECTORY = 7,
  TAG_USER = 8,
  TAG_RLIMIT = 9,
  TAG_CGROUP = 10,
  TAG_INPUT = 11,
  TAG_OUTPUT = 12,
  TAG_ERRORS = 13,
  TAG_HOLD = 14,
  TAG_UMASK = 15,

  TAG_SIGNAL = 16,
  TAG_PIDS = 17,
  TAG_PATH = 18,
  TAG_TEXT = 19,
  TAG_VERSION = 20,
  TAG_NAME = 21,
  TAG_PID = 22,
  TAG_START = 23,
  TAG_SHIM = 24,
  TAG_STATUS = 25,
  TAG_STATE = 26,
  TAG_SHIM_START = 27,

  TAG_WINDOW = 28,
  TAG_ATTACH = 29,
  TAG_ROTATION = 30,
  TAG_STREAM = 31,
  TAG_DATA = 32,
  TAG_OBSTACLE = 33,

  TAG_NETWORK = 34,
  TAG_NAMESPACE = 35,
  TAG_MOUNT = 36,
  TAG_HELPER = 37,
};

/* What a process reads and writes; their numbers are those of its descriptors. */
enum stream {
  STREAM_INPUT = 0,
  STREAM_OUTPUT = 1,
  STREAM_ERRORS = 2,
};

/* Why nobody is attached, for programs. */
enum obstacle {
  OBSTACLE_NOTHING_THERE = 1,
  OBSTACLE_TAKEN = 2,
  OBSTACLE_TOO_MANY = 3,
  OBSTACLE_ENDED = 4,
};

/* Bytes that belong to somebody else. */
struct bytes {
  const uint8_t *at;
  size_t length;
};

struct frame {
  uint16_t type;
  uint32_t number;
  struct bytes body;
};

struct field {
  uint16_t tag;
  struct bytes value;
};

/*
 * Looks for a frame at the beginning of bytes. 1: it is there and takes so many bytes; 0: more is
 * needed; -1: this can never become a frame.
 */
int frame_next(struct bytes bytes, struct frame *frame, size_t *taken);

/* Takes the next field out of a body. 1: there is one; 0: the body ends; -1: it is broken. */
int field_next(struct bytes *rest, struct field *field);

bool bytes_u16(struct bytes bytes, uint16_t *value);
bool bytes_u32(struct bytes bytes, uint32_t *value);
uint32_t read_u32(const uint8_t *at);
uint64_t read_u64(const uint8_t *at);

/* The first field with this tag; false when there is none or the body is broken before it. */
bool body_find(struct bytes body, uint16_t tag, struct bytes *value);
bool body_u32(struct bytes body, uint16_t tag, uint32_t *value);

/* The same as text with a NUL behind it; false also when it is too long or has a NUL within. */
bool body_text(struct bytes body, uint16_t tag, char *text, size_t size);

/*
 * Bytes that grow, in pages of their own, so that a fork gives them back without having touched
 * them. Once memory is short, failed is set and nothing more is added.
 */
struct buffer {
  uint8_t *at;
  size_t length;
  size_t capacity;
  bool failed;
};

bool buffer_room(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
/* Drops bytes from the beginning, and leaves nothing of them behind. */
void buffer_drop(struct buffer *buffer, size_t length);
void buffer_free(struct buffer *buffer);

/* Writes a frame: what frame_begin returns goes to frame_end. */
size_t frame_begin(struct buffer *buffer, uint16_t type, uint32_t number);
void frame_end(struct buffer *buffer, size_t begin);
void field_bytes(struct buffer *buffer, uint16_t tag, const void *bytes, size_t length);
void field_text(struct buffer *buffer, uint16_t tag, const char *text);
void field_u32(struct buffer *buffer, uint16_t tag, uint32_t value);
void field_u64(struct buffer *buffer, uint16_t tag, uint64_t value);

void frame_ok(struct buffer *buffer, uint32_t number);
void frame_error(struct buffer *buffer, uint32_t number, const char *text);
void frame_obstacle(
    struct buffer *buffer, uint32_t number, enum obstacle obstacle, const char *text);
/* Who this is and what it can do. */
void frame_hello(struct buffer *buffer, uint32_t number, const char *name);

/*
 * What is wrong with somebody's HELLO, or null. One that is of the same major version is welcome,
 * whatever its minor version.
 */
const char *hello_problem(struct bytes body);

/* The null-terminated names of what a plan can ask for. */
extern const char *const features[];

/* A connection that never blocks. */
struct link {
  int fd;
  bool greeted;
  struct buffer in;
  struct buffer out;
};

/* Reads what there is. False: the other end is gone. */
bool link_read(struct link *link);
/* Writes what it takes. False: the other end is gone, or does not read. */
bool link_flush(struct link *link);
void link_close(struct link *link);

#endif
