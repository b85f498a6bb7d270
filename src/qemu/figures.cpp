// One function for each answer.
#include "qemu/figures.hpp"

#include <map>
#include <set>

namespace vireo::qemu {
namespace {

std::unexpected<Error> unlike(const char* command) {
  return fail(VIR_ERR_INTERNAL_ERROR, std::string("QEMU's answer to '") + command + "' has an unknown form");
}

const json::object* object_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? value->if_object() : nullptr;
}

std::string text_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  const auto* text = value ? value->if_string() : nullptr;
  return text ? std::string(*text) : std::string();
}

// A count. QEMU's negative or broken ones are none.
std::optional<std::uint64_t> count_in(const json::value& value) {
  if (value.is_uint64()) return value.get_uint64();
  if (value.is_int64() && value.get_int64() >= 0) return static_cast<std::uint64_t>(value.get_int64());
  // Beyond 64 bits it comes as a floating number; no counter of QEMU's is that large.
  if (value.is_double() && value.get_double() >= 0 && value.get_double() < 0x1p63)
    return static_cast<std::uint64_t>(value.get_double());
  return std::nullopt;
}

std::optional<std::uint64_t> count_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value ? count_in(*value) : std::nullopt;
}

// The same where signed numbers are usual.
std::optional<std::int64_t> number_at(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value && value->is_int64() && value->get_int64() >= 0) return value->get_int64();
  return std::nullopt;
}

void read_counts(const json::object& stats, model::ImageCounts& out) {
  const auto get = [&stats](const char* key) { return count_at(stats, key).value_or(0); };
  out.reads = get("rd_operations");
  out.read_bytes = get("rd_bytes");
  out.read_ns = get("rd_total_time_ns");
  out.writes = get("wr_operations");
  out.written_bytes = get("wr_bytes");
  out.write_ns = get("wr_total_time_ns");
  out.flushes = get("flush_operations");
  out.flush_ns = get("flush_total_time_ns");
  out.failed_reads = get("failed_rd_operations");
  out.failed_writes = get("failed_wr_operations");
  out.failed_flushes = get("failed_flush_operations");
}

// An image and, through `parent`, the file below it, which knows how far it was written.
model::ImageCounts read_image(const json::object& image) {
  model::ImageCounts out{.node = text_at(image, "node-name")};
  if (const auto* stats = object_at(image, "stats")) read_counts(*stats, out);
  if (const auto* below = object_at(image, "parent"))
    if (const auto* stats = object_at(*below, "stats")) out.highest_write = count_at(*stats, "wr_highest_offset");
  return out;
}

}  // namespace

std::string alias_of(std::string_view device_path) {
  constexpr std::string_view named = "/machine/peripheral/";
  if (device_path.starts_with(named)) device_path.remove_prefix(named.size());
  return std::string(device_path.substr(0, device_path.find('/')));
}

Result<model::BlockCounts> read_block_counts(const json::value& answer) {
  const auto* devices = answer.if_array();
  if (!devices) return unlike("query-blockstats");
  model::BlockCounts out;
  for (const auto& element : *devices) {
    const auto* device = element.if_object();
    if (!device) continue;
    // A drive without an image has counters all the same.
    auto path = text_at(*device, "qdev");
    if (path.empty()) path = text_at(*device, "device");
    if (path.empty()) continue;
    model::DiskCounts disk{.alias = alias_of(path)};
    // Deeper than any chain that can be used: a monitor that makes one up ends there.
    constexpr std::size_t deepest = 256;
    for (const auto* image = device; image && disk.chain.size() < deepest; image = object_at(*image, "backing"))
      disk.chain.push_back(read_image(*image));
    out.push_back(std::move(disk));
  }
  return out;
}

Result<model::BlockFacts> read_block_facts(const json::value& answer) {
  const auto* nodes = answer.if_array();
  if (!nodes) return unlike("query-named-block-nodes");
  model::BlockFacts out;
  std::map<std::string, std::string> storage;  // the files of the nodes below those of images, by their names
  for (const auto& element : *nodes) {
    const auto* node = element.if_object();
    const auto* image = node ? object_at(*node, "image") : nullptr;
    const auto capacity = image ? count_at(*image, "virtual-size") : std::nullopt;
    auto name = node ? text_at(*node, "node-name") : std::string();
    if (name.ends_with("-storage")) storage.emplace(name, text_at(*node, "file"));
    // Nodes of files lie below those of images, whose sizes are meant.
    if (!capacity || name.empty() || text_at(*node, "drv") == "file") continue;
    out.push_back({.node = std::move(name), .file = text_at(*node, "file"), .capacity_bytes = *capacity});
  }
  // Where a chain was pieced together QEMU describes the file in JSON; the file below tells its plain name.
  for (auto& fact : out) {
    if (!fact.file.starts_with("json:")) continue;
    const auto below = storage.find(fact.node.substr(0, fact.node.rfind('-')) + "-storage");
    fact.file = below == storage.end() ? std::string() : below->second;
  }
  return out;
}

Result<model::BalloonReport> read_balloon_report(const json::value& answer) {
  const auto* report = answer.if_object();
  const auto* stats = report ? object_at(*report, "stats") : nullptr;
  if (!stats) return unlike("qom-get guest-stats");
  model::BalloonReport out;
  out.last_update_s = number_at(*report, "last-update").value_or(0);
  // QEMU says "not told" with the largest number there is.
  const auto get = [stats](const char* key) {
    auto value = count_at(*stats, key);
    return value == UINT64_MAX ? std::nullopt : value;
  };
  out.swap_in_bytes = get("stat-swap-in");
  out.swap_out_bytes = get("stat-swap-out");
  out.major_faults = get("stat-major-faults");
  out.minor_faults = get("stat-minor-faults");
  out.free_bytes = get("stat-free-memory");
  out.total_bytes = get("stat-total-memory");
  out.available_bytes = get("stat-available-memory");
  out.disk_caches_bytes = get("stat-disk-caches");
  out.hugetlb_allocations = get("stat-htlb-pgalloc");
  out.hugetlb_failures = get("stat-htlb-pgfail");
  return out;
}

Result<model::DirtyRate> read_dirty_rate(const json::value& answer) {
  const auto* rate = answer.if_object();
  const auto status = rate ? text_at(*rate, "status") : std::string();
  using Status = model::DirtyRate::Status;
  model::DirtyRate out;
  if (status == "measuring")
    out.status = Status::measuring;
  else if (status == "measured")
    out.status = Status::measured;
  else if (status != "unstarted")
    return unlike("query-dirty-rate");
  out.start_time_s = number_at(*rate, "start-time").value_or(0);
  out.calc_time_s = number_at(*rate, "calc-time").value_or(0);
  out.mib_per_s = number_at(*rate, "dirty-rate");
  out.mode = text_at(*rate, "mode");
  const auto* vcpus = rate->if_contains("vcpu-dirty-rate");
  // A client takes no name twice.
  std::set<std::int64_t> seen;
  if (const auto* list = vcpus ? vcpus->if_array() : nullptr)
    for (const auto& element : *list) {
      const auto* vcpu = element.if_object();
      const auto id = vcpu ? number_at(*vcpu, "id") : std::nullopt;
      const auto mib_per_s = vcpu ? number_at(*vcpu, "dirty-rate") : std::nullopt;
      if (id && mib_per_s && seen.insert(*id).second) out.vcpus.emplace_back(*id, *mib_per_s);
    }
  return out;
}

namespace {

// What a name of a figure ends in, by the figure; histograms and what else is no single number are not among them.
using Suffixes = std::map<std::string, const char*, std::less<>>;

const char* suffix_of(std::string_view kind) {
  if (kind == "cumulative") return "sum";
  if (kind == "instant") return "cur";
  if (kind == "peak") return "max";
  return nullptr;
}

Suffixes suffixes_of(const json::value& schemas, std::string_view target) {
  Suffixes out;
  const auto* list = schemas.if_array();
  if (!list) return out;
  for (const auto& element : *list) {
    const auto* schema = element.if_object();
    if (!schema || text_at(*schema, "target") != target || text_at(*schema, "provider") != "kvm") continue;
    const auto* stats = schema->if_contains("stats");
    const auto* figures = stats ? stats->if_array() : nullptr;
    if (!figures) continue;
    for (const auto& figure : *figures) {
      const auto* described = figure.if_object();
      if (!described) continue;
      auto name = text_at(*described, "name");
      const auto* suffix = suffix_of(text_at(*described, "type"));
      if (suffix && !name.empty()) out.emplace(std::move(name), suffix);
    }
  }
  return out;
}

// `left`: the figures that are still to come; a client takes no name twice.
std::vector<model::KvmCount> read_kvm_list(Suffixes left, const json::object& result) {
  std::vector<model::KvmCount> out;
  const auto* stats = result.if_contains("stats");
  const auto* list = stats ? stats->if_array() : nullptr;
  if (!list) return out;
  for (const auto& element : *list) {
    const auto* stat = element.if_object();
    const auto* value = stat ? stat->if_contains("value") : nullptr;
    const auto known = value ? left.find(text_at(*stat, "name")) : left.end();
    if (known == left.end()) continue;
    if (const auto* truth = value->if_bool())
      out.push_back({.name = known->first, .suffix = known->second, .value = *truth});
    else if (const auto count = count_in(*value))
      out.push_back({.name = known->first, .suffix = known->second, .value = *count});
    else
      continue;
    left.erase(known);
  }
  return out;
}

}  // namespace

Result<model::KvmCounts> read_kvm_counts(const json::value& schemas, const json::value& vm, const json::value& vcpus) {
  const auto* machines = vm.if_array();
  const auto* processors = vcpus.if_array();
  if (!machines || !processors) return unlike("query-stats");
  model::KvmCounts out;
  const auto of_machine = suffixes_of(schemas, "vm"), of_processor = suffixes_of(schemas, "vcpu");
  for (const auto& element : *machines)
    if (const auto* result = element.if_object()) out.vm = read_kvm_list(of_machine, *result);
  // One that cannot be read keeps its place, or those behind it would be taken for others.
  for (const auto& element : *processors) {
    const auto* result = element.if_object();
    out.vcpus.push_back(result ? read_kvm_list(of_processor, *result) : std::vector<model::KvmCount>());
  }
  return out;
}

}  // namespace vireo::qemu
