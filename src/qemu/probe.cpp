// One conversation with a QEMU that has no machine, and the reading of its answers.
#include "qemu/probe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "qmp/message.hpp"

namespace vireo::qemu {

namespace {

namespace json = boost::json;

constexpr std::array kQuestions{"qmp_capabilities",
                                "query-version",
                                "query-target",
                                "query-kvm",
                                "query-machines",
                                "query-cpu-definitions",
                                "query-command-line-options",
                                "query-commands",
                                "quit"};
constexpr std::size_t kShownErrorBytes = 1024, kKeptErrorBytes = 64 * 1024;

using Answers = std::map<std::string, json::value, std::less<>>;

class Probe {
 public:
  Probe() = default;
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;
  ~Probe() { kill_and_reap(child_.pidfd); }

  Result<Answers> run(const std::string& path, const ExecOptions& exec, Deadline deadline);

 private:
  Result<void> start(const std::string& path, const ExecOptions& exec);
  Result<void> ask();
  Result<bool> read_more(Deadline deadline);  // false: the other side has closed
  Result<void> take_lines();
  std::string printed() const;

  Spawned child_;
  Fd talk_, errors_;
  qmp::LineReader lines_;
  Answers answers_;
};

Result<void> Probe::start(const std::string& path, const ExecOptions& exec) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return fail_errno(errno, "cannot make sockets");
  talk_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  errors_ = Fd(::memfd_create("probe-errors", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  // However much it complains: the file does not grow.
  if (!errors_ || ::ftruncate(errors_.get(), kKeptErrorBytes) < 0 ||
      ::fcntl(errors_.get(), F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0)
    return fail_errno(errno, "cannot make a memory file");
  SpawnRequest request;
  request.exec = exec;
  request.argv = {path,   "-S",   "-no-user-config", "-nodefaults", "-nographic", "-machine", "none,accel=kvm:tcg",
                  "-qmp", "stdio"};
  request.environment = {"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/"};
  request.input_fd = request.output_fd = theirs.get();
  request.error_fd = errors_.get();
  request.die_with_daemon = true;
  auto child = spawn(request);
  if (!child) return pass_on(child);
  child_ = std::move(*child);
  return {};
}

// All questions at once: QEMU answers in order, and few hundred bytes always fit into the socket.
Result<void> Probe::ask() {
  std::string text;
  for (const auto* question : kQuestions)
    text += json::serialize(json::object{{"execute", question}, {"id", question}}) + "\n";
  if (::send(talk_.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0 && errno != EPIPE)
    return fail_errno(errno, "cannot write to it");
  return {};
}

Result<bool> Probe::read_more(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.time() - SteadyClock::now()).count();
  pollfd readable{.fd = talk_.get(), .events = POLLIN, .revents = 0};
  const int ready = ::poll(&readable, 1, static_cast<int>(std::clamp<long long>(left, 0, 60'000)));
  if (ready < 0 && errno == EINTR) return true;
  if (ready < 0) return fail_errno(errno, "cannot wait for it");
  if (ready == 0) return fail(VIR_ERR_OPERATION_TIMEOUT, "it did not answer in time");
  std::array<char, 16384> bytes;
  const auto count = ::recv(talk_.get(), bytes.data(), bytes.size(), 0);
  if (count <= 0) return count < 0 && errno == EINTR;
  lines_.append(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
  return true;
}

Result<void> Probe::take_lines() {
  while (true) {
    auto line = lines_.next();
    if (!line) return pass_on(line);
    if (!*line) return {};
    auto message = qmp::parse_object(**line);
    if (!message) return pass_on(message);
    const auto* id = message->if_contains("id");
    auto* answer = message->if_contains("return");
    if (id && id->is_string() && answer) answers_.emplace(std::string(id->get_string()), std::move(*answer));
  }
}

std::string Probe::printed() const {
  std::string text(kShownErrorBytes, '\0');
  const auto count = ::pread(errors_.get(), text.data(), text.size(), 0);
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  text.resize(std::min(text.size(), text.find('\0')));  // beyond, nothing was written
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Result<Answers> Probe::run(const std::string& path, const ExecOptions& exec, Deadline deadline) {
  if (auto started = start(path, exec); !started) return pass_on(started);
  if (auto asked = ask(); !asked) return pass_on(asked);
  bool open = true;
  while (open && answers_.size() < kQuestions.size()) {
    auto more = read_more(deadline);
    if (!more) return pass_on(more);
    open = *more;
    if (auto taken = take_lines(); !taken) return pass_on(taken);
  }
  if (answers_.size() == kQuestions.size()) return std::move(answers_);
  const auto text = printed();
  return fail(VIR_ERR_INTERNAL_ERROR, text.empty() ? "it does not answer as QEMU does" : text);
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

bool flag_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

Machine machine_from(const json::object& object) {
  Machine machine;
  machine.name = text_at(object, "name");
  machine.alias = text_at(object, "alias");
  machine.is_default = flag_at(object, "is-default");
  machine.max_cpus = object.at("cpu-max").to_number<int>();
  machine.deprecated = flag_at(object, "deprecated");
  return machine;
}

CpuModel cpu_from(const json::object& object) {
  CpuModel cpu;
  cpu.name = text_at(object, "name");
  if (const auto* missing = object.if_contains("unavailable-features"))
    for (const auto& feature : missing->as_array()) cpu.unavailable_features.emplace_back(feature.as_string());
  return cpu;
}

// Throws when an answer has not the documented shape.
Capabilities read_answers(const Answers& answers) {
  Capabilities caps;
  const auto& version = answers.at("query-version").as_object();
  const auto& number = version.at("qemu").as_object();
  caps.version_major = number.at("major").to_number<int>();
  caps.version_minor = number.at("minor").to_number<int>();
  caps.version_micro = number.at("micro").to_number<int>();
  caps.package = text_at(version, "package");
  caps.arch = text_at(answers.at("query-target").as_object(), "arch");
  if (caps.arch == "i386") caps.arch = "i686";
  caps.kvm = flag_at(answers.at("query-kvm").as_object(), "present");
  for (const auto& value : answers.at("query-machines").as_array()) {
    auto machine = machine_from(value.as_object());
    if (machine.name == "none") continue;  // the machine of probes: nothing can run on it
    caps.machines.push_back(std::move(machine));
  }
  for (const auto& value : answers.at("query-cpu-definitions").as_array())
    caps.cpus.push_back(cpu_from(value.as_object()));
  for (const auto& value : answers.at("query-command-line-options").as_array())
    if (text_at(value.as_object(), "option") == "sandbox") caps.sandbox = true;
  // SPICE's options belong to a module that is loaded on demand; its question is there from the start.
  for (const auto& value : answers.at("query-commands").as_array())
    if (text_at(value.as_object(), "name") == "query-spice") caps.spice = true;
  return caps;
}

}  // namespace

bool kvm_usable(const ExecOptions& exec) {
  const std::optional<ActAs> other(exec.user ? std::make_optional<ActAs>(*exec.user) : std::nullopt);
  return static_cast<bool>(Fd(::open("/dev/kvm", O_RDWR | O_CLOEXEC)));
}

Result<Capabilities> probe_binary(const std::string& path, const ExecOptions& exec, Deadline deadline) {
  if (auto checked = check_executable(path); !checked) return pass_on(checked);
  const auto about = "Failed to probe QEMU binary " + path + ": ";
  Probe probe;
  auto answers = probe.run(path, exec, deadline);
  if (!answers) {
    auto error = std::move(answers.error());
    if (error.code == VIR_ERR_SYSTEM_ERROR) error.code = VIR_ERR_INTERNAL_ERROR;  // the file itself is there
    error.detail = about + error.detail;
    return std::unexpected(std::move(error));
  }
  try {
    auto caps = read_answers(*answers);
    caps.binary = path;
    caps.kvm = caps.kvm && kvm_usable(exec);
    return caps;
  } catch (const std::exception&) {
    return fail(VIR_ERR_INTERNAL_ERROR, about + "its answers have an unknown form");
  }
}

}  // namespace vireo::qemu
