// Reading numbers and words, strictly: a word that is not understood starts nothing.
#include "exec/options.hpp"

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

namespace vireo::exec {

namespace {

// What follows "--name=" in the word, or null if it is another word.
const char* value_of(const char* word, const char* name) {
  const auto length = std::strlen(name);
  return std::strncmp(word, name, length) == 0 && word[length] == '=' ? word + length + 1 : nullptr;
}

// Reads the number up to `end_mark` and moves past it.
bool read_number(const char*& text, char end_mark, long long low, long long high, long long& number) {
  char* end = nullptr;
  errno = 0;
  number = std::strtoll(text, &end, 10);
  if (errno != 0 || end == text || (*end != '\0' && *end != end_mark) || number < low || number > high) return false;
  text = *end == '\0' ? end : end + 1;
  return true;
}

template <class Number>
bool read(const char* text, long long low, long long high, Number& target) {
  long long number = 0;
  if (!read_number(text, '\0', low, high, number)) return false;
  target = static_cast<Number>(number);
  return true;
}

bool read_limit(const char* text, Limit& limit) {
  limit.set = true;
  if (std::strcmp(text, "unlimited") == 0) {
    limit.value = RLIM_INFINITY;
    return true;
  }
  return read(text, 0, LLONG_MAX, limit.value);
}

bool read_groups(const char* text, Options& options) {
  while (*text != '\0') {
    long long number = 0;
    if (options.group_count == Options::kMaxGroups || !read_number(text, ',', 0, UINT_MAX - 1LL, number)) return false;
    options.groups[options.group_count++] = static_cast<gid_t>(number);
  }
  return true;
}

bool read_word(const char* word, Options& options, bool& has_uid, bool& has_gid) {
  if (const char* value = value_of(word, "--report")) return read(value, 3, INT_MAX, options.report_fd);
  if (const char* value = value_of(word, "--keep")) {
    if (options.kept_count == Options::kMaxKept) return false;
    return read(value, 3, INT_MAX, options.kept_fds[options.kept_count++]);
  }
  if (const char* value = value_of(word, "--die-with")) return read(value, 1, INT_MAX, options.die_with);
  if (const char* value = value_of(word, "--pid-file")) return (options.pid_file = value)[0] == '/';
  if (const char* value = value_of(word, "--cgroup")) {
    if (options.cgroup_count == Options::kMaxCgroups || value[0] != '/') return false;
    options.cgroups[options.cgroup_count++] = value;
    return true;
  }
  if (const char* value = value_of(word, "--memlock")) return read_limit(value, options.memlock);
  if (const char* value = value_of(word, "--core")) return read_limit(value, options.core);
  if (const char* value = value_of(word, "--oom-score"))
    return options.has_oom_score = read(value, -1000, 1000, options.oom_score);
  if (const char* value = value_of(word, "--nice")) return options.has_nice = read(value, -20, 19, options.nice);
  if (const char* value = value_of(word, "--apparmor")) return (options.apparmor = value)[0] != '\0';
  if (const char* value = value_of(word, "--selinux")) return (options.selinux = value)[0] != '\0';
  if (const char* value = value_of(word, "--uid")) return has_uid = read(value, 0, UINT_MAX - 1LL, options.uid);
  if (const char* value = value_of(word, "--gid")) return has_gid = read(value, 0, UINT_MAX - 1LL, options.gid);
  if (const char* value = value_of(word, "--groups")) return read_groups(value, options);
  return false;
}

}  // namespace

bool parse_options(int argc, char** argv, Options& options) {
  bool good = true, has_uid = false, has_gid = false;
  int at = 1;
  for (; at < argc && std::strcmp(argv[at], "--") != 0; ++at)
    good = read_word(argv[at], options, has_uid, has_gid) && good;
  options.has_user = has_uid && has_gid;
  if (at + 1 < argc) options.program = argv + at + 1;
  return good && options.program != nullptr && options.program[0][0] == '/' && options.report_fd >= 0 &&
         has_uid == has_gid && (options.group_count == 0 || has_uid);
}

}  // namespace vireo::exec
