#define _GNU_SOURCE
#include "plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const struct {
  const char *name;
  int resource;
} limits[] = {
    {"RLIMIT_AS", RLIMIT_AS},
    {"RLIMIT_CORE", RLIMIT_CORE},
    {"RLIMIT_CPU", RLIMIT_CPU},
    {"RLIMIT_DATA", RLIMIT_DATA},
    {"RLIMIT_FSIZE", RLIMIT_FSIZE},
    {"RLIMIT_LOCKS", RLIMIT_LOCKS},
    {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
    {"RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE},
    {"RLIMIT_NICE", RLIMIT_NICE},
    {"RLIMIT_NOFILE", RLIMIT_NOFILE},
    {"RLIMIT_NPROC", RLIMIT_NPROC},
    {"RLIMIT_RSS", RLIMIT_RSS},
    {"RLIMIT_RTPRIO", RLIMIT_RTPRIO},
    {"RLIMIT_RTTIME", RLIMIT_RTTIME},
    {"RLIMIT_SIGPENDING", RLIMIT_SIGPENDING},
    {"RLIMIT_STACK", RLIMIT_STACK},
};

/* Names for problems, and which fields may stand in a plan. */
static const struct {
  const char *name;
  bool repeated;
} known[] = {
    [TAG_CONTAINER] = {"container", false},
    [TAG_FOLDER] = {"folder", false},
    [TAG_FEATURE] = {"feature", true},
    [TAG_PROGRAM] = {"program", false},
    [TAG_ARGUMENT] = {"argument", true},
    [TAG_VARIABLE] = {"variable", true},
    [TAG_DIRECTORY] = {"directory", false},
    [TAG_USER] = {"user", false},
    [TAG_RLIMIT] = {"rlimit", true},
    [TAG_CGROUP] = {"cgroup", true},
    [TAG_INPUT] = {"input", false},
    [TAG_OUTPUT] = {"output", false},
    [TAG_ERRORS] = {"errors", false},
    [TAG_HOLD] = {"hold", false},
    [TAG_UMASK] = {"umask", false},
    [TAG_WINDOW] = {"window", false},
    [TAG_ATTACH] = {"attach", false},
    [TAG_ROTATION] = {"rotation", true},
    [TAG_NETWORK] = {"network", false},
    [TAG_NAMESPACE] = {"namespace", true},
    [TAG_MOUNT] = {"mount", true},
    [TAG_HELPER] = {"helper", true},
};

__attribute__((format(printf, 2, 3))) static bool refuse(
    char problem[PROBLEM_SIZE], const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(problem, PROBLEM_SIZE, format, arguments);
  va_end(arguments);
  return false;
}

/* Text of somebody else in a problem: short, and without what a terminal would act upon. */
static const char *shown(struct bytes text, char shown[64]) {
  size_t length = text.length < 63 ? text.length : 63;
  for (size_t i = 0; i < length; i++) {
    shown[i] = text.at[i] >= ' ' && text.at[i] < 0x7f ? (char)text.at[i] : '?';
  }
  shown[length] = 0;
  return shown;
}

static bool feature_known(struct bytes name) {
  for (const char *const *feature = features; *feature != NULL; feature++) {
    if (strlen(*feature) == name.length && memcmp(*feature, name.at, name.length) == 0) {
      return true;
    }
  }
  return false;
}

static bool parse_limit(struct bytes value, struct plan *plan, char problem[PROBLEM_SIZE]) {
  char word[64];
  if (value.length < 17) {
    return refuse(problem, "field rlimit: a soft limit, a hard one and a name are needed");
  }
  struct bytes name = {value.at + 16, value.length - 16};
  if (plan->limit_count == RLIMITS_MOST) {
    return refuse(problem, "field rlimit: there are more than %d", RLIMITS_MOST);
  }
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    if (strlen(limits[i].name) == name.length
        && memcmp(limits[i].name, name.at, name.length) == 0) {
      struct limit *limit = &plan->limits[plan->limit_count++];
      limit->resource = limits[i].resource;
      limit->name = limits[i].name;
      limit->value.rlim_cur = read_u64(value.at);
      limit->value.rlim_max = read_u64(value.at + 8);
      return true;
    }
  }
  return refuse(problem, "field rlimit: '%s' is no limit of processes", shown(name, word));
}

static bool parse_user(
    struct bytes value, struct plan *plan, gid_t **groups, char problem[PROBLEM_SIZE]) {
  if (value.length < 8 || value.length % 4 != 0 || value.length / 4 - 2 > GROUPS_MOST) {
    return refuse(problem, "field user: a user id, a group id and more group ids are needed");
  }
  plan->switch_user = true;
  plan->user = read_u32(value.at);
  plan->group = read_u32(value.at + 4);
  plan->group_count = value.length / 4 - 2;
  if (plan->user == UINT32_MAX || plan->group == UINT32_MAX) {
    return refuse(problem, "field user: the highest number is no id");
  }
  plan->groups = *groups;
  for (size_t i = 0; i < plan->group_count; i++) {
    plan->groups[i] = read_u32(value.at + 8 + 4 * i);
  }
  *groups += plan->group_count;
  return true;
}

bool parse_window(struct bytes value, uint16_t *rows, uint16_t *columns) {
  if (value.length != 8 || read_u32(value.at) > UINT16_MAX
      || read_u32(value.at + 4) > UINT16_MAX) {
    return false;
  }
  *rows = (uint16_t)read_u32(value.at);
  *columns = (uint16_t)read_u32(value.at + 4);
  return true;
}

static bool parse_rotation(struct bytes value, struct plan *plan, char problem[PROBLEM_SIZE]) {
  if (value.length != 16) {
    return refuse(problem, "field rotation: a stream, a number of files and a size are needed");
  }
  uint32_t stream = read_u32(value.at);
  uint32_t older = read_u32(value.at + 4);
  uint64_t most = read_u64(value.at + 8);
  if (stream != STREAM_OUTPUT && stream != STREAM_ERRORS) {
    return refuse(problem, "field rotation: the streams are 1 for output and 2 for errors");
  }
  struct rotation *rotation = &plan->rotations[stream - 1];
  if (rotation->most != 0) {
    return refuse(problem, "field rotation: there are two for stream %u", (unsigned)stream);
  }
  if (most < LOG_LEAST || older > OLDER_MOST) {
    return refuse(
        problem,
        "field rotation: at least %d bytes and at most %d older files are possible",
        LOG_LEAST,
        OLDER_MOST);
  }
  rotation->most = most;
  rotation->older = older;
  return true;
}

/* How many fields there are in a field, as far as they can be told. */
static size_t inner_fields(struct bytes value) {
  struct field field;
  size_t count = 0;
  if (value.length >= 4) {
    struct bytes rest = {value.at + 4, value.length - 4};
    while (field_next(&rest, &field) == 1) {
      count++;
    }
  }
  return count;
}

/* Copies a text behind what is there. Null: there is a NUL in it. */
static char *copy_text(struct bytes value, char **text) {
  char *copy = *text;
  if (value.length > 0) {
    if (memchr(value.at, 0, value.length) != NULL) {
      return NULL;
    }
    memcpy(copy, value.at, value.length);
  }
  copy[value.length] = 0;
  *text += value.length + 1;
  return copy;
}

static bool is_variable(const char *text) {
  return *text != '=' && strchr(text, '=') != NULL;
}

/* A stream, then what stands in a plan for programs, too. */
static bool parse_helper(
    struct bytes value,
    struct plan *plan,
    char ***pointers,
    char **text,
    char problem[PROBLEM_SIZE]) {
  uint32_t stream = value.length < 4 ? 0 : read_u32(value.at);
  if (stream != STREAM_OUTPUT && stream != STREAM_ERRORS) {
    return refuse(problem, "field helper: the streams are 1 for output and 2 for errors");
  }
  struct helper_plan *helper = &plan->helpers[stream - 1];
  if (helper->program != NULL) {
    return refuse(problem, "field helper: there are two for stream %u", (unsigned)stream);
  }
  /* One look for each kind: a list is to stand in one piece, in whatever order its parts came. */
  struct bytes inner = {value.at + 4, value.length - 4};
  static const uint16_t order[] = {TAG_PROGRAM, TAG_ARGUMENT, TAG_VARIABLE};
  for (size_t turn = 0; turn < sizeof order / sizeof *order; turn++) {
    struct bytes rest = inner;
    struct field field;
    int found;
    char **list = *pointers;
    while ((found = field_next(&rest, &field)) == 1) {
      if (field.tag != TAG_PROGRAM && field.tag != TAG_ARGUMENT && field.tag != TAG_VARIABLE) {
        return refuse(problem, "field helper: field %u in it is not known", field.tag);
      }
      if (field.tag != order[turn]) {
        continue;
      }
      char *copy = copy_text(field.value, text);
      if (copy == NULL) {
        return refuse(problem, "field helper: there is a NUL in it");
      }
      if (field.tag == TAG_VARIABLE && !is_variable(copy)) {
        return refuse(
            problem, "field helper: a variable needs a name, '=' and a value");
      }
      if (field.tag == TAG_PROGRAM) {
        if (*copy != '/' || helper->program != NULL) {
          return refuse(problem, "field helper: one absolute path of a program is needed");
        }
        helper->program = copy;
      } else {
        *(*pointers)++ = copy;
      }
    }
    if (found < 0) {
      return refuse(problem, "field helper: its last field is cut off");
    }
    if (order[turn] == TAG_ARGUMENT) {
      helper->arguments = list;
      (*pointers)++;
    } else if (order[turn] == TAG_VARIABLE) {
      helper->environment = list;
      (*pointers)++;
    }
  }
  if (helper->program == NULL || helper->arguments[0] == NULL) {
    return refuse(problem, "field helper: a program and at least its name as argument are needed");
  }
  return true;
}

static bool parse_namespace(struct bytes value, struct plan *plan, char problem[PROBLEM_SIZE]) {
  char word[64];
  if (value.length < 13 || read_u32(value.at) > INT32_MAX) {
    return refuse(
        problem, "field namespace: a number of a process, its start and a name are needed");
  }
  struct bytes name = {value.at + 12, value.length - 12};
  if (name.length != 5 || memcmp(name.at, "mount", 5) != 0) {
    return refuse(
        problem,
        "field namespace: '%s' is none that this launcher makes or enters; there is 'mount'",
        shown(name, word));
  }
  pid_t process = (pid_t)read_u32(value.at);
  if (process == 0 ? plan->own_mounts : plan->mounts_of != 0 || plan->own_mounts) {
    return refuse(problem, "field namespace: one to enter and then one of its own is possible");
  }
  if (process == 0) {
    plan->own_mounts = true;
  } else {
    plan->mounts_of = process;
    plan->mounts_of_start = read_u64(value.at + 4);
  }
  return true;
}

/* Whether a path has only names in it, none of which leads up. */
static bool leads_down(const char *path) {
  for (const char *name = path; *name != 0;) {
    size_t length = strcspn(name, "/");
    if (length == 0 || (length == 1 && *name == '.')
        || (length == 2 && name[0] == '.' && name[1] == '.')) {
      return false;
    }
    name += length;
    if (*name == '/' && *++name == 0) {
      return false;
    }
  }
  return true;
}

/* Three texts with a NUL between them, behind what is asked for; they are copied to where text is. */
static bool parse_mount(
    struct bytes value, struct plan *plan, char **text, char problem[PROBLEM_SIZE]) {
  static const uint32_t known_flags = 7;
  if (plan->mount_count == MOUNTS_MOST) {
    return refuse(problem, "field mount: there are more than %d", MOUNTS_MOST);
  }
  if (value.length < 6 || (read_u32(value.at) & ~known_flags) != 0) {
    return refuse(problem, "field mount: a number up to 7 and three texts are needed");
  }
  uint32_t flags = read_u32(value.at);
  size_t length = value.length - 4;
  char *copy = *text;
  memcpy(copy, value.at + 4, length);
  copy[length] = 0;
  char *parts[3] = {copy, NULL, NULL};
  size_t count = 1;
  for (size_t i = 0; i < length; i++) {
    if (copy[i] == 0) {
      if (count == 3) {
        return refuse(problem, "field mount: there are more than three texts");
      }
      parts[count++] = copy + i + 1;
    }
  }
  if (count != 3 || *parts[0] != '/' || *parts[1] != '/') {
    return refuse(
        problem, "field mount: an absolute source, an absolute target and what is below are needed");
  }
  if (!leads_down(parts[2])) {
    return refuse(problem, "field mount: what is below the target has to be a path without '..'");
  }
  *text += length + 1;
  struct mount *mount = &plan->mounts[plan->mount_count++];
  mount->source = parts[0];
  mount->target = parts[1];
  mount->below = parts[2];
  mount->read_only = (flags & 1) != 0;
  mount->as_user = (flags & 2) != 0;
  mount->fixes_rights = (flags & 4) != 0;
  return true;
}

static bool fill(
    struct bytes body,
    struct plan *plan,
    size_t *counts,
    size_t inner,
    char problem[PROBLEM_SIZE]) {
  char word[64];
  struct field field;
  struct bytes rest = body;
  int found;

  /* Pointers first, then numbers, then text: each is aligned for what comes. */
  plan->mounts = plan->arena;
  char **pointers = (char **)(plan->mounts + counts[TAG_MOUNT]);
  plan->arguments = pointers;
  plan->environment = plan->arguments + counts[TAG_ARGUMENT] + 1;
  plan->cgroups = plan->environment + counts[TAG_VARIABLE] + 1;
  char **more = plan->cgroups + counts[TAG_CGROUP] + 1;
  gid_t *groups = (gid_t *)(more + inner);
  char *text = (char *)groups + body.length / 4 * 4;
  char **argument = plan->arguments;
  char **variable = plan->environment;
  char **cgroup = plan->cgroups;

  while ((found = field_next(&rest, &field)) == 1) {
    uint32_t number;
    char *copy;
    switch (field.tag) {
      case TAG_FEATURE:
        if (!feature_known(field.value)) {
          return refuse(
              problem,
              "feature '%s' is not known to this launcher, which speaks version %d.%d",
              shown(field.value, word),
              VERSION_MAJOR,
              VERSION_MINOR);
        }
        continue;
      case TAG_RLIMIT:
        if (!parse_limit(field.value, plan, problem)) {
          return false;
        }
        continue;
      case TAG_USER:
        if (!parse_user(field.value, plan, &groups, problem)) {
          return false;
        }
        continue;
      case TAG_HOLD:
        if (!bytes_u32(field.value, &number) || number > 1) {
          return refuse(problem, "field hold: 0 or 1 is needed");
        }
        plan->hold = number == 1;
        continue;
      case TAG_UMASK:
        if (!bytes_u32(field.value, &number) || number > 0777) {
          return refuse(problem, "field umask: a number up to 0777 is needed");
        }
        plan->mask = number;
        continue;
      case TAG_WINDOW:
        if (!parse_window(field.value, &plan->rows, &plan->columns)) {
          return refuse(problem, "field window: two numbers up to 65535 are needed");
        }
        plan->terminal = true;
        continue;
      case TAG_ATTACH:
        if (!bytes_u32(field.value, &number) || number > REACH_AWAITED) {
          return refuse(problem, "field attach: 0, 1 or 2 is needed");
        }
        plan->reach = (enum reach)number;
        continue;
      case TAG_NETWORK:
        if (field.value.length != 12 || read_u32(field.value.at) == 0
            || read_u32(field.value.at) > INT32_MAX) {
          return refuse(problem, "field network: a number of a process and its start are needed");
        }
        plan->network = (pid_t)read_u32(field.value.at);
        plan->network_start = read_u64(field.value.at + 4);
        continue;
      case TAG_NAMESPACE:
        if (!parse_namespace(field.value, plan, problem)) {
          return false;
        }
        continue;
      case TAG_MOUNT:
        if (!parse_mount(field.value, plan, &text, problem)) {
          return false;
        }
        continue;
      case TAG_ROTATION:
        if (!parse_rotation(field.value, plan, problem)) {
          return false;
        }
        continue;
      case TAG_HELPER:
        if (!parse_helper(field.value, plan, &more, &text, problem)) {
          return false;
        }
        continue;
      default:
        break;
    }
    copy = copy_text(field.value, &text);
    if (copy == NULL) {
      return refuse(problem, "field %s: there is a NUL in it", known[field.tag].name);
    }
    switch (field.tag) {
      case TAG_CONTAINER: plan->id = copy; break;
      case TAG_FOLDER: plan->folder = copy; break;
      case TAG_PROGRAM: plan->program = copy; break;
      case TAG_DIRECTORY: plan->directory = copy; break;
      case TAG_INPUT: plan->input = copy; break;
      case TAG_OUTPUT: plan->output = copy; break;
      case TAG_ERRORS: plan->errors = copy; break;
      case TAG_ARGUMENT: *argument++ = copy; break;
      case TAG_CGROUP:
        if (*copy != '/') {
          return refuse(problem, "field cgroup: an absolute path is needed");
        }
        *cgroup++ = copy;
        break;
      case TAG_VARIABLE:
        if (!is_variable(copy)) {
          return refuse(problem, "field variable: a name, '=' and a value are needed");
        }
        *variable++ = copy;
        break;
      default: return refuse(problem, "field %u is not known", field.tag);
    }
  }
  return found == 0 || refuse(problem, "the last field is cut off");
}

static bool check_rotation(
    const struct rotation *rotation, const char *file, char problem[PROBLEM_SIZE]) {
  return rotation->most == 0
      || (file != NULL && *file != 0 && strchr(file, '/') == NULL
          && strlen(file) <= LOG_NAME_MOST)
      || refuse(problem, "field rotation: a file in the directory itself is needed for its stream");
}

/* What a helper does not read goes to a file. */
static bool check_helpers(const struct plan *plan, char problem[PROBLEM_SIZE]) {
  const char *files[2] = {plan->output, plan->errors};
  for (int i = 0; i < 2; i++) {
    if (plan->helpers[i].program != NULL && files[i] == NULL) {
      return refuse(problem, "field helper: a file is needed for its stream");
    }
  }
  return true;
}

/* Where output goes: into files, to whoever attaches, or both. */
static bool check_streams(const struct plan *plan, char problem[PROBLEM_SIZE]) {
  if (plan->reach == REACH_NOBODY) {
    if (plan->terminal) {
      return refuse(problem, "field window: a terminal needs the field attach");
    }
    if (plan->output == NULL || plan->errors == NULL) {
      return refuse(problem, "fields output and errors: both are needed");
    }
  } else {
    if (plan->input != NULL) {
      return refuse(problem, "field input: it comes from those who attach");
    }
    if (plan->terminal && plan->errors != NULL) {
      return refuse(problem, "field errors: a terminal has one output");
    }
    if (!plan->terminal && (plan->output == NULL) != (plan->errors == NULL)) {
      return refuse(problem, "fields output and errors: both or none are needed");
    }
  }
  return check_rotation(&plan->rotations[0], plan->output, problem)
      && check_rotation(&plan->rotations[1], plan->errors, problem)
      && check_helpers(plan, problem);
}

static bool check(const struct plan *plan, char problem[PROBLEM_SIZE]) {
  if (plan->id == NULL || *plan->id == 0 || strlen(plan->id) > ID_MOST) {
    return refuse(problem, "field container: 1 to %d bytes are needed", ID_MOST);
  }
  if (plan->folder == NULL || *plan->folder != '/') {
    return refuse(problem, "field folder: an absolute path is needed");
  }
  if (plan->directory == NULL || *plan->directory != '/') {
    return refuse(problem, "field directory: an absolute path is needed");
  }
  if (plan->program == NULL || *plan->program == 0) {
    return refuse(problem, "field program: it is missing");
  }
  if (plan->arguments[0] == NULL) {
    return refuse(problem, "field argument: at least the name of the program is needed");
  }
  if (plan->mount_count > 0 && !plan->own_mounts) {
    return refuse(problem, "field mount: a mount namespace of its own is needed");
  }
  return check_streams(plan, problem);
}

bool plan_parse(struct bytes body, struct plan *plan, char problem[PROBLEM_SIZE]) {
  size_t counts[sizeof known / sizeof *known] = {0};
  struct field field;
  struct bytes rest = body;
  size_t fields = 0;
  size_t inner = 0;
  int found;
  memset(plan, 0, sizeof *plan);
  plan->mask = 022;
  while ((found = field_next(&rest, &field)) == 1) {
    if (field.tag >= sizeof known / sizeof *known || known[field.tag].name == NULL) {
      return refuse(
          problem,
          "field %u is not known to this launcher, which speaks version %d.%d",
          field.tag,
          VERSION_MAJOR,
          VERSION_MINOR);
    }
    if (++counts[field.tag] > 1 && !known[field.tag].repeated) {
      return refuse(problem, "field %s: it stands there twice", known[field.tag].name);
    }
    fields++;
    if (field.tag == TAG_HELPER) {
      size_t count = inner_fields(field.value);
      fields += count;
      inner += count + 2;
    }
  }
  if (found < 0) {
    return refuse(problem, "the last field is cut off");
  }

  size_t pointers = counts[TAG_ARGUMENT] + counts[TAG_VARIABLE] + counts[TAG_CGROUP] + 3 + inner;
  plan->arena_size = counts[TAG_MOUNT] * sizeof(struct mount) + pointers * sizeof(char *)
      + body.length + body.length + fields;
  plan->arena =
      mmap(NULL, plan->arena_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (plan->arena == MAP_FAILED) {
    plan->arena = NULL;
    return refuse(problem, "there is no memory for a plan of %zu bytes", body.length);
  }
  if (!fill(body, plan, counts, inner, problem) || !check(plan, problem)) {
    plan_free(plan);
    return false;
  }
  return true;
}

void plan_free(struct plan *plan) {
  if (plan->arena != NULL) {
    munmap(plan->arena, plan->arena_size);
  }
  memset(plan, 0, sizeof *plan);
}
