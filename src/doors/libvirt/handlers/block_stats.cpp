// A disk's counters, sizes and errors (virDomainBlockStats, virDomainGetBlockInfo, virDomainGetDiskErrors).
#include "core/stats/fresh.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/handlers/typed_params.hpp"

namespace vireo::doors::libvirt {
namespace {

// By its target, or by the path of its image if it is the only one with it. Null: none.
const model::Disk* find_disk(const model::DomainDef& definition, const std::string& name) {
  const model::Disk* found = nullptr;
  for (const auto& disk : definition.devices.disks) {
    if (!name.starts_with('/')) {
      if (disk.target == name) return &disk;
    } else if (disk.file == name) {
      if (found) return nullptr;
      found = &disk;
    }
  }
  return found;
}

const model::ImageCounts* counts_of(const model::BlockCounts& counts, const model::Disk& disk) {
  static const model::ImageCounts nothing;
  const auto found = std::ranges::find(counts, disk.info.alias, &model::DiskCounts::alias);
  if (found == counts.end()) return nullptr;
  return found->chain.empty() ? &nothing : &found->chain.front();
}

// Without a path, all disks together.
asio::awaitable<Result<model::ImageCounts>> count(Call call, wire::remote_nonnull_domain dom, std::string path) {
  auto guest = find_running(call, dom);
  if (!guest) co_return pass_on(guest);
  const auto& live = (*guest)->current();
  const auto* disk = path.empty() ? nullptr : find_disk(live, path);
  if (!path.empty() && !disk) co_return fail(VIR_ERR_INVALID_ARG, "invalid path: " + path);
  auto sample = co_await core::fresh_sample(host_of(call), *guest, VIR_DOMAIN_STATS_BLOCK);
  if (!sample) co_return pass_on(sample);
  model::ImageCounts sum;
  if (!(*sample)->block) co_return sum;  // it has no disks
  for (const auto& each : live.devices.disks) {
    if (disk && &each != disk) continue;
    const auto* counts = counts_of(*(*sample)->block, each);
    if (!counts) co_return fail(VIR_ERR_INTERNAL_ERROR, "cannot find statistics for device '" + each.target + "'");
    sum.reads += counts->reads;
    sum.read_bytes += counts->read_bytes;
    sum.read_ns += counts->read_ns;
    sum.writes += counts->writes;
    sum.written_bytes += counts->written_bytes;
    sum.write_ns += counts->write_ns;
    sum.flushes += counts->flushes;
    sum.flush_ns += counts->flush_ns;
  }
  co_return sum;
}

std::int64_t signed_of(std::uint64_t value) { return static_cast<std::int64_t>(value); }

asio::awaitable<Result<wire::remote_domain_block_stats_ret>> block_stats(Call call,
                                                                         wire::remote_domain_block_stats_args args) {
  auto counts = co_await count(std::move(call), std::move(args.dom), std::move(args.path));
  if (!counts) co_return pass_on(counts);
  co_return wire::remote_domain_block_stats_ret{.rd_req = signed_of(counts->reads),
                                                .rd_bytes = signed_of(counts->read_bytes),
                                                .wr_req = signed_of(counts->writes),
                                                .wr_bytes = signed_of(counts->written_bytes),
                                                .errs = -1};  // QEMU counts none that would fit
}

asio::awaitable<Result<wire::remote_domain_block_stats_flags_ret>> block_stats_flags(
    Call call, wire::remote_domain_block_stats_flags_args args) {
  if (auto ok = check_flags(call, args.flags, VIR_TYPED_PARAM_STRING_OKAY); !ok) co_return pass_on(ok);
  auto counts = co_await count(std::move(call), std::move(args.dom), std::move(args.path));
  if (!counts) co_return pass_on(counts);
  std::vector<core::Param> params{
      {VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, signed_of(counts->written_bytes)},
      {VIR_DOMAIN_BLOCK_STATS_WRITE_REQ, signed_of(counts->writes)},
      {VIR_DOMAIN_BLOCK_STATS_READ_BYTES, signed_of(counts->read_bytes)},
      {VIR_DOMAIN_BLOCK_STATS_READ_REQ, signed_of(counts->reads)},
      {VIR_DOMAIN_BLOCK_STATS_FLUSH_REQ, signed_of(counts->flushes)},
      {VIR_DOMAIN_BLOCK_STATS_WRITE_TOTAL_TIMES, signed_of(counts->write_ns)},
      {VIR_DOMAIN_BLOCK_STATS_READ_TOTAL_TIMES, signed_of(counts->read_ns)},
      {VIR_DOMAIN_BLOCK_STATS_FLUSH_TOTAL_TIMES, signed_of(counts->flush_ns)},
  };
  wire::remote_domain_block_stats_flags_ret ret;
  // Without room for any, the question is how many there are.
  if (args.nparams <= 0) {
    ret.nparams = static_cast<std::int32_t>(params.size());
    co_return ret;
  }
  params.resize(std::min(params.size(), static_cast<std::size_t>(args.nparams)));
  ret.nparams = static_cast<std::int32_t>(params.size());
  ret.params = to_wire(std::move(params));
  co_return ret;
}

asio::awaitable<Result<model::ImageSizes>> sizes_at_rest(core::Host& host, const model::Disk& disk) {
  return host.sizes_at_rest.of(disk.file, disk.driver.format, Deadline::in(host.settings.stats_deadline));
}

// As libvirt has it: what was written farthest out is what a raw image takes; of qcow2, whose end moves, and of an
// image to which nothing was written yet, it is what the file takes.
asio::awaitable<Result<model::ImageSizes>> sizes_in_use(core::Host& host, model::DomainViewPtr guest,
                                                        model::Disk disk) {
  auto sample = co_await core::fresh_sample(host, guest, VIR_DOMAIN_STATS_BLOCK);
  if (!sample) co_return pass_on(sample);
  const auto* counts = (*sample)->block ? counts_of(*(*sample)->block, disk) : nullptr;
  if (!counts) co_return fail(VIR_ERR_INTERNAL_ERROR, "failed to gather stats for disk '" + disk.target + "'");
  model::ImageSizes file;
  // The workers that read the kernel's counts may be late.
  static const std::vector<model::FileSize> unknown;
  const auto& files = (*sample)->host ? (*sample)->host->files : unknown;
  if (const auto found = std::ranges::find(files, disk.file, &model::FileSize::path); found != files.end()) {
    file = {.allocation_bytes = found->allocated_bytes, .physical_bytes = found->length_bytes};
  } else {
    // A block device, a path by another name, or not looked at yet.
    auto read = co_await sizes_at_rest(host, disk);
    if (!read) co_return pass_on(read);
    file = *read;
  }
  auto out = file;
  if (const auto& images = (*sample)->images)
    if (const auto fact = std::ranges::find(*images, counts->node, &model::ImageFacts::node); fact != images->end())
      out.capacity_bytes = fact->capacity_bytes;
  const auto highest = counts->highest_write.value_or(0);
  if (highest > 0 && highest != file.allocation_bytes && disk.driver.format != model::ImageFormat::qcow2) {
    out.allocation_bytes = highest;
    out.physical_bytes = file.allocation_bytes;
  }
  co_return out;
}

asio::awaitable<Result<wire::remote_domain_get_block_info_ret>> get_block_info(
    Call call, wire::remote_domain_get_block_info_args args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) co_return pass_on(ok);
  auto guest = find_domain(call, args.dom);
  if (!guest) co_return pass_on(guest);
  const auto* disk = find_disk((*guest)->current(), args.path);
  if (!disk) co_return fail(VIR_ERR_INVALID_ARG, "invalid path " + args.path + " not assigned to domain");
  if (disk->file.empty())
    co_return fail(VIR_ERR_INVALID_ARG, "disk '" + args.path + "' does not currently have a source assigned");
  auto& host = host_of(call);
  auto sizes = (*guest)->active() ? sizes_in_use(host, *guest, *disk) : sizes_at_rest(host, *disk);
  auto told = co_await std::move(sizes);
  if (!told) co_return pass_on(told);
  co_return wire::remote_domain_get_block_info_ret{
      .allocation = told->allocation_bytes, .capacity = told->capacity_bytes, .physical = told->physical_bytes};
}

asio::awaitable<Result<wire::remote_domain_get_disk_errors_ret>> get_disk_errors(
    Call call, wire::remote_domain_get_disk_errors_args args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) co_return pass_on(ok);
  auto guest = find_running(call, args.dom);
  if (!guest) co_return pass_on(guest);
  const auto& disks = (*guest)->current().devices.disks;
  wire::remote_domain_get_disk_errors_ret ret;
  // Without room for any, the question is how many there may be.
  ret.nerrors = static_cast<std::int32_t>(disks.size());
  if (args.maxerrors == 0) co_return ret;
  auto errors = co_await core::disk_errors_now(host_of(call), *guest);
  if (!errors) co_return pass_on(errors);
  for (const auto& disk : disks) {
    const auto found = std::ranges::find(*errors, disk.info.alias, &std::pair<std::string, std::string>::first);
    if (found == errors->end() || ret.errors.size() == args.maxerrors) continue;
    const int error = found->second == "nospace" ? VIR_DOMAIN_DISK_ERROR_NO_SPACE : VIR_DOMAIN_DISK_ERROR_UNSPEC;
    ret.errors.push_back({.disk = disk.target, .error = error});
  }
  ret.nerrors = static_cast<std::int32_t>(ret.errors.size());
  co_return ret;
}

}  // namespace

void register_block_stats(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_block_stats, &block_stats);
  table.change(Remote::domain_block_stats_flags, &block_stats_flags);
  table.change(Remote::domain_get_block_info, &get_block_info);
  table.change(Remote::domain_get_disk_errors, &get_disk_errors);
}

}  // namespace vireo::doors::libvirt
