// The cache file: JSON with the stamp and the capabilities.
#include "qemu/capabilities_file.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/log.hpp"
#include "qemu/probe.hpp"
#include "qemu/spawn.hpp"

namespace vireo::qemu {

namespace {

namespace json = boost::json;

// Moves when the file's form, or what is probed, changes.
constexpr int kForm = 2;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

json::object to_json(const BinaryStamp& stamp) {
  return {{"path", stamp.path},
          {"size", stamp.size},
          {"modified_ns", stamp.modified_ns},
          {"changed_ns", stamp.changed_ns},
          {"inode", stamp.inode},
          {"kvm_usable", stamp.kvm_usable}};
}

BinaryStamp stamp_from(const json::object& object) {
  BinaryStamp stamp;
  stamp.path = object.at("path").as_string();
  stamp.size = object.at("size").to_number<std::uint64_t>();
  stamp.modified_ns = object.at("modified_ns").to_number<std::int64_t>();
  stamp.changed_ns = object.at("changed_ns").to_number<std::int64_t>();
  stamp.inode = object.at("inode").to_number<std::uint64_t>();
  stamp.kvm_usable = object.at("kvm_usable").as_bool();
  return stamp;
}

json::object to_json(const Capabilities& caps) {
  json::array machines, cpus;
  for (const auto& m : caps.machines)
    machines.push_back(json::object{{"name", m.name},
                                    {"alias", m.alias},
                                    {"is_default", m.is_default},
                                    {"max_cpus", m.max_cpus},
                                    {"deprecated", m.deprecated}});
  for (const auto& cpu : caps.cpus) {
    json::array missing(cpu.unavailable_features.begin(), cpu.unavailable_features.end());
    cpus.push_back(json::object{{"name", cpu.name}, {"unavailable_features", std::move(missing)}});
  }
  return {{"arch", caps.arch},           {"major", caps.version_major}, {"minor", caps.version_minor},
          {"micro", caps.version_micro}, {"package", caps.package},     {"kvm", caps.kvm},
          {"sandbox", caps.sandbox},     {"spice", caps.spice},         {"machines", std::move(machines)},
          {"cpus", std::move(cpus)}};
}

Capabilities capabilities_from(const json::object& object) {
  Capabilities caps;
  caps.arch = object.at("arch").as_string();
  caps.version_major = object.at("major").to_number<int>();
  caps.version_minor = object.at("minor").to_number<int>();
  caps.version_micro = object.at("micro").to_number<int>();
  caps.package = object.at("package").as_string();
  caps.kvm = object.at("kvm").as_bool();
  caps.sandbox = object.at("sandbox").as_bool();
  caps.spice = object.at("spice").as_bool();
  for (const auto& value : object.at("machines").as_array()) {
    const auto& m = value.as_object();
    Machine machine;
    machine.name = m.at("name").as_string();
    machine.alias = m.at("alias").as_string();
    machine.is_default = m.at("is_default").as_bool();
    machine.max_cpus = m.at("max_cpus").to_number<int>();
    machine.deprecated = m.at("deprecated").as_bool();
    caps.machines.push_back(std::move(machine));
  }
  for (const auto& value : object.at("cpus").as_array()) {
    CpuModel cpu;
    cpu.name = value.as_object().at("name").as_string();
    for (const auto& feature : value.as_object().at("unavailable_features").as_array())
      cpu.unavailable_features.emplace_back(feature.as_string());
    caps.cpus.push_back(std::move(cpu));
  }
  return caps;
}

}  // namespace

Result<BinaryStamp> stamp_of(const std::string& path, const ExecOptions& exec) {
  if (auto checked = check_executable(path); !checked) return pass_on(checked);
  struct stat info{};
  if (::stat(path.c_str(), &info) < 0) return fail_errno(errno, "Cannot check QEMU binary " + path);
  BinaryStamp stamp;
  stamp.path = path;
  stamp.size = static_cast<std::uint64_t>(info.st_size);
  stamp.modified_ns = nanoseconds(info.st_mtim);
  stamp.changed_ns = nanoseconds(info.st_ctim);
  stamp.inode = info.st_ino;
  stamp.kvm_usable = kvm_usable(exec);
  return stamp;
}

std::string capabilities_file_path(const std::string& cache_dir, const std::string& binary) {
  auto name = binary.substr(std::min(binary.find_first_not_of('/'), binary.size()));
  std::replace(name.begin(), name.end(), '/', '_');
  return cache_dir + "/capabilities/" + name + ".json";
}

std::optional<Capabilities> load_capabilities(const std::string& cache_dir, const BinaryStamp& stamp) {
  std::ifstream file(capabilities_file_path(cache_dir, stamp.path));
  const std::string text(std::istreambuf_iterator<char>(file), {});
  if (text.empty()) return std::nullopt;
  try {
    const auto value = json::parse(text);
    const auto& object = value.as_object();
    if (object.at("form").to_number<int>() != kForm || stamp_from(object.at("binary").as_object()) != stamp)
      return std::nullopt;
    auto caps = capabilities_from(object.at("capabilities").as_object());
    caps.binary = stamp.path;
    return caps;
  } catch (const std::exception&) {
    log::warn("probing '{}' again: what was kept about it cannot be read", stamp.path);
    return std::nullopt;
  }
}

void save_capabilities(const std::string& cache_dir, const BinaryStamp& stamp, const Capabilities& capabilities) {
  const auto path = capabilities_file_path(cache_dir, stamp.path);
  const auto fresh = path + ".new";
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  std::ofstream file(fresh, std::ios::trunc);
  file << json::serialize(
              json::object{{"form", kForm}, {"binary", to_json(stamp)}, {"capabilities", to_json(capabilities)}})
       << "\n";
  file.close();
  if (file) std::filesystem::rename(fresh, path, error);
  if (!file || error) log::warn("cannot keep the capabilities of '{}' in '{}'", stamp.path, path);
}

}  // namespace vireo::qemu
