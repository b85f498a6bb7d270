// The rules, one small function each.
#include "xml/rules.hpp"

#include <map>
#include <set>

namespace vireo::xml {
namespace {

std::unexpected<Error> broken(int code, std::string detail) {
  return fail_from(VIR_FROM_DOMAIN, code, std::move(detail));
}

Result<void> check_basics(const model::DomainDef& def) {
  if (def.name.contains('/')) return broken(VIR_ERR_XML_ERROR, fmt::format("name {} cannot contain '/'", def.name));
  if (def.name.contains('\n')) return fail_from(VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: \\n");
  if (def.title.contains('\n')) return broken(VIR_ERR_XML_ERROR, "Domain title can't contain newlines");
  if (def.memory_kib == 0)
    return broken(VIR_ERR_XML_ERROR, "Memory size must be specified via <memory> or in the <numa> configuration");
  if (def.os.type.empty()) return broken(VIR_ERR_XML_ERROR, "an os <type> must be specified");
  if (def.os.type != "hvm")
    return broken(VIR_ERR_CONFIG_UNSUPPORTED, fmt::format("unknown OS type '{}'; use 'hvm'", def.os.type));
  if (def.vcpus_max == 0) return broken(VIR_ERR_XML_ERROR, "a guest needs at least one vCPU; raise <vcpu>");
  if (def.vcpus_current && *def.vcpus_current > def.vcpus_max)
    return broken(VIR_ERR_CONFIG_UNSUPPORTED, "maximum vCPU count must not be less than current vCPU count");
  if (def.cpu && def.cpu->topology && def.cpu->topology->total() != def.vcpus_max)
    return broken(VIR_ERR_CONFIG_UNSUPPORTED, "CPU topology doesn't match maximum vcpu count");
  return {};
}

// What the kernel's control groups take.
Result<void> check_cputune(const model::CpuTune& tune) {
  const auto check = [](const char* name, std::optional<std::int64_t> value, std::int64_t low,
                        std::int64_t high) -> Result<void> {
    if (!value || (*value >= low && *value <= high)) return {};
    return broken(VIR_ERR_CONFIG_UNSUPPORTED,
                  fmt::format("Value of cputune '{}' must be in range [{}, {}]", name, low, high));
  };
  const auto positive = [](auto value) {
    return value && *value > 0 ? std::optional(static_cast<std::int64_t>(
                                     std::min<std::uint64_t>(static_cast<std::uint64_t>(*value), INT64_MAX)))
                               : std::nullopt;
  };
  if (auto r = check("shares", positive(tune.shares), 2, 262'144); !r) return r;
  constexpr std::int64_t kLeast_us = 1000, kLongestPeriod_us = 1'000'000, kLargestQuota_us = 17'592'186'044'415;
  if (auto r = check("period", positive(tune.period_us), kLeast_us, kLongestPeriod_us); !r) return r;
  if (auto r = check("quota", positive(tune.quota_us), kLeast_us, kLargestQuota_us); !r) return r;
  if (auto r = check("global_period", positive(tune.global_period_us), kLeast_us, kLongestPeriod_us); !r) return r;
  return check("global_quota", positive(tune.global_quota_us), kLeast_us, kLargestQuota_us);
}

Result<void> check_disks(const model::DomainDef& def) {
  std::map<std::string_view, const model::Disk*> targets;
  for (const auto& disk : def.devices.disks) {
    if (disk.target.empty())
      return broken(VIR_ERR_NO_TARGET, fmt::format("{}", disk.file.empty() ? "a disk without source" : disk.file));
    if (disk.file.empty() && disk.kind != model::DiskKind::cdrom) return broken(VIR_ERR_NO_SOURCE, disk.target);
    const auto [at, is_new] = targets.emplace(disk.target, &disk);
    if (!is_new)
      return broken(VIR_ERR_XML_ERROR, fmt::format("target '{}' duplicated for disk sources '{}' and '{}'", disk.target,
                                                   at->second->file, disk.file));
  }
  return {};
}

// Boot orders by device and <boot> in <os> exclude each other, and no number may stand twice.
Result<void> check_boot(const model::DomainDef& def) {
  std::set<unsigned> orders;
  const auto& devices = def.devices;
  const auto add = [&](const auto& list) -> Result<void> {
    for (const auto& device : list) {
      if (!device.info.boot_order) continue;
      const unsigned order = *device.info.boot_order;
      if (order == 0) return broken(VIR_ERR_XML_ERROR, "a boot order must be 1 or more");
      if (!orders.insert(order).second)
        return broken(VIR_ERR_XML_ERROR, fmt::format("boot order '{}' used for more than one device", order));
    }
    return {};
  };
  if (auto r = add(devices.disks); !r) return r;
  if (auto r = add(devices.interfaces); !r) return r;
  if (!orders.empty() && !def.os.boot.empty())
    return broken(VIR_ERR_CONFIG_UNSUPPORTED, "per-device boot elements cannot be used together with os/boot elements");
  return {};
}

// One label for each model, also of one disk's source.
Result<void> check_seclabels(const model::DomainDef& def) {
  const auto check = [](const auto& labels) -> Result<void> {
    std::set<std::string_view> models;
    for (const auto& label : labels)
      if (!models.insert(label.model).second)
        return broken(VIR_ERR_XML_DETAIL, fmt::format("seclabel for model {} is already provided",
                                                      label.model.empty() ? "(null)" : label.model));
    return {};
  };
  for (const auto& disk : def.devices.disks)
    if (auto r = check(disk.seclabels); !r) return r;
  return check(def.seclabels);
}

}  // namespace

Result<void> check_rules(const model::DomainDef& def) {
  if (auto r = check_basics(def); !r) return r;
  if (auto r = check_cputune(def.cputune); !r) return r;
  if (auto r = check_disks(def); !r) return r;
  if (auto r = check_seclabels(def); !r) return r;
  return check_boot(def);
}

}  // namespace vireo::xml
