#define _GNU_SOURCE
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
  PAGE = 4096,
  CHUNK = 65536,
  KEPT = 65536,
};

const char *const features[] = {
    "environment", "rlimits", "cgroups", "user", "hold", "wait", "attach", "terminal", "rotation",
    "network", "output-helper", "mount-namespaces", "mounts", "memory-events", NULL};

uint32_t read_u32(const uint8_t *at) {
  return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | (uint32_t)at[3];
}

uint64_t read_u64(const uint8_t *at) {
  return (uint64_t)read_u32(at) << 32 | read_u32(at + 4);
}

static uint16_t read_u16(const uint8_t *at) {
  return (uint16_t)(at[0] << 8 | at[1]);
}

static void put_u32(uint8_t *at, uint32_t value) {
  at[0] = (uint8_t)(value >> 24);
  at[1] = (uint8_t)(value >> 16);
  at[2] = (uint8_t)(value >> 8);
  at[3] = (uint8_t)value;
}

int frame_next(struct bytes bytes, struct frame *frame, size_t *taken) {
  if (bytes.length < 4) {
    return 0;
  }
  size_t length = read_u32(bytes.at);
  if (length < FRAME_HEADER - 4 || length > FRAME_MOST) {
    return -1;
  }
  if (bytes.length < 4 + length) {
    return 0;
  }
  frame->type = read_u16(bytes.at + 4);
  frame->number = read_u32(bytes.at + 8);
  frame->body.at = bytes.at + FRAME_HEADER;
  frame->body.length = 4 + length - FRAME_HEADER;
  *taken = 4 + length;
  return 1;
}

int field_next(struct bytes *rest, struct field *field) {
  if (rest->length == 0) {
    return 0;
  }
  if (rest->length < FIELD_HEADER) {
    return -1;
  }
  size_t length = read_u32(rest->at + 2);
  if (length > rest->length - FIELD_HEADER) {
    return -1;
  }
  field->tag = read_u16(rest->at);
  field->value.at = rest->at + FIELD_HEADER;
  field->value.length = length;
  rest->at += FIELD_HEADER + length;
  rest->length -= FIELD_HEADER + length;
  return 1;
}

bool bytes_u16(struct bytes bytes, uint16_t *value) {
  if (bytes.length != 2) {
    return false;
  }
  *value = read_u16(bytes.at);
  return true;
}

bool bytes_u32(struct bytes bytes, uint32_t *value) {
  if (bytes.length != 4) {
    return false;
  }
  *value = read_u32(bytes.at);
  return true;
}

bool body_find(struct bytes body, uint16_t tag, struct bytes *value) {
  struct field field;
  while (field_next(&body, &field) == 1) {
    if (field.tag == tag) {
      *value = field.value;
      return true;
    }
  }
  return false;
}

bool body_u32(struct bytes body, uint16_t tag, uint32_t *value) {
  struct bytes found;
  return body_find(body, tag, &found) && bytes_u32(found, value);
}

bool body_text(struct bytes body, uint16_t tag, char *text, size_t size) {
  struct bytes found;
  if (!body_find(body, tag, &found) || found.length >= size
      || memchr(found.at, 0, found.length) != NULL) {
    return false;
  }
  memcpy(text, found.at, found.length);
  text[found.length] = 0;
  return true;
}

bool buffer_room(struct buffer *buffer, size_t more) {
  if (buffer->failed) {
    return false;
  }
  if (buffer->capacity - buffer->length >= more) {
    return true;
  }
  size_t capacity = buffer->capacity == 0 ? PAGE : buffer->capacity;
  while (capacity - buffer->length < more) {
    capacity *= 2;
  }
  void *at = buffer->at == NULL
      ? mmap(NULL, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      : mremap(buffer->at, buffer->capacity, capacity, MREMAP_MAYMOVE);
  if (at == MAP_FAILED) {
    buffer->failed = true;
    return false;
  }
  buffer->at = at;
  buffer->capacity = capacity;
  return true;
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length) {
  if (length > 0 && buffer_room(buffer, length)) {
    memcpy(buffer->at + buffer->length, bytes, length);
    buffer->length += length;
  }
}

void buffer_drop(struct buffer *buffer, size_t length) {
  if (length == 0) {
    return;
  }
  if (length == buffer->length && buffer->capacity > KEPT) {
    buffer_free(buffer);
    return;
  }
  size_t kept = buffer->length - length;
  memmove(buffer->at, buffer->at + length, kept);
  explicit_bzero(buffer->at + kept, length);
  buffer->length = kept;
}

void buffer_free(struct buffer *buffer) {
  if (buffer->at != NULL) {
    munmap(buffer->at, buffer->capacity);
  }
  memset(buffer, 0, sizeof *buffer);
}

size_t frame_begin(struct buffer *buffer, uint16_t type, uint32_t number) {
  uint8_t header[FRAME_HEADER] = {0};
  size_t begin = buffer->length;
  header[4] = (uint8_t)(type >> 8);
  header[5] = (uint8_t)type;
  put_u32(header + 8, number);
  buffer_add(buffer, header, sizeof header);
  return begin;
}

void frame_end(struct buffer *buffer, size_t begin) {
  if (buffer->failed) {
    return;
  }
  put_u32(buffer->at + begin, (uint32_t)(buffer->length - begin - 4));
}

void field_bytes(struct buffer *buffer, uint16_t tag, const void *bytes, size_t length) {
  uint8_t header[FIELD_HEADER];
  header[0] = (uint8_t)(tag >> 8);
  header[1] = (uint8_t)tag;
  put_u32(header + 2, (uint32_t)length);
  buffer_add(buffer, header, sizeof header);
  buffer_add(buffer, bytes, length);
}

void field_text(struct buffer *buffer, uint16_t tag, const char *text) {
  field_bytes(buffer, tag, text, strlen(text));
}

void field_u32(struct buffer *buffer, uint16_t tag, uint32_t value) {
  uint8_t bytes[4];
  put_u32(bytes, value);
  field_bytes(buffer, tag, bytes, sizeof bytes);
}

void field_u64(struct buffer *buffer, uint16_t tag, uint64_t value) {
  uint8_t bytes[8];
  put_u32(bytes, (uint32_t)(value >> 32));
  put_u32(bytes + 4, (uint32_t)value);
  field_bytes(buffer, tag, bytes, sizeof bytes);
}

void frame_ok(struct buffer *buffer, uint32_t number) {
  frame_end(buffer, frame_begin(buffer, TYPE_OK, number));
}

void frame_error(struct buffer *buffer, uint32_t number, const char *text) {
  size_t begin = frame_begin(buffer, TYPE_ERROR, number);
  field_text(buffer, TAG_TEXT, text);
  frame_end(buffer, begin);
}

void frame_obstacle(
    struct buffer *buffer, uint32_t number, enum obstacle obstacle, const char *text) {
  size_t begin = frame_begin(buffer, TYPE_ERROR, number);
  field_text(buffer, TAG_TEXT, text);
  field_u32(buffer, TAG_OBSTACLE, obstacle);
  frame_end(buffer, begin);
}

void frame_hello(struct buffer *buffer, uint32_t number, const char *name) {
  static const uint8_t version[4] = {0, VERSION_MAJOR, 0, VERSION_MINOR};
  size_t begin = frame_begin(buffer, TYPE_HELLO, number);
  field_bytes(buffer, TAG_VERSION, version, sizeof version);
  field_text(buffer, TAG_NAME, name);
  for (const char *const *feature = features; *feature != NULL; feature++) {
    field_text(buffer, TAG_FEATURE, *feature);
  }
  frame_end(buffer, begin);
}

const char *hello_problem(struct bytes body) {
  struct bytes version;
  if (!body_find(body, TAG_VERSION, &version) || version.length != 4) {
    return "the hello has no version";
  }
  if (read_u16(version.at) != VERSION_MAJOR) {
    return "this launcher speaks version 1 of the protocol only";
  }
  return NULL;
}

bool link_read(struct link *link) {
  /* A turn ends after some chunks, so that one peer does not keep the others waiting. */
  for (int chunk = 0; chunk < 16; chunk++) {
    if (!buffer_room(&link->in, link->in.capacity == 0 ? PAGE : CHUNK)) {
      return false;
    }
    size_t room = link->in.capacity - link->in.length;
    ssize_t count = recv(link->fd, link->in.at + link->in.length, room, MSG_DONTWAIT);
    if (count == 0) {
      return false;
    }
    if (count < 0) {
      return errno == EAGAIN || errno == EINTR;
    }
    link->in.length += (size_t)count;
    if ((size_t)count < room) {
      return true;
    }
  }
  return true;
}

bool link_flush(struct link *link) {
  if (link->out.failed || link->out.length > OUTPUT_MOST) {
    return false;
  }
  size_t done = 0;
  while (done < link->out.length) {
    ssize_t count = send(
        link->fd, link->out.at + done, link->out.length - done, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      if (errno != EAGAIN) {
        return false;
      }
      break;
    }
    done += (size_t)count;
  }
  buffer_drop(&link->out, done);
  return true;
}

void link_close(struct link *link) {
  if (link->fd >= 0) {
    close(link->fd);
  }
  link->fd = -1;
  buffer_free(&link->in);
  buffer_free(&link->out);
}
