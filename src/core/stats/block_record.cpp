// Which images there are, how they are numbered, and what each of them is told.
#include "core/stats/block_record.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace vireo::core {
namespace {

// An image's entry. `counts`: null where QEMU has none, or is not to be shown them.
struct Image {
  const model::Disk* disk;
  std::string path;
  unsigned index = 0;  // 0: not told
  const model::ImageCounts* counts = nullptr;
  bool top = false;
  std::optional<std::uint64_t> capacity;
  const model::ImageSizes* at_rest = nullptr;
};

void put_image(Params& params, std::size_t at, const Image& image, const model::HostFigures* host) {
  const auto name = [at](const char* what) { return fmt::format("block.{}.{}", at, what); };
  params.put(name("name"), image.disk->target);
  if (!image.path.empty()) params.put(name("path"), image.path);
  if (image.index > 0) params.put(name("backingIndex"), std::uint32_t{image.index});
  if (image.counts && image.top) {
    const auto& c = *image.counts;
    params.number(name("rd.reqs"), c.reads);
    params.number(name("rd.bytes"), c.read_bytes);
    params.number(name("rd.times"), c.read_ns);
    params.number(name("wr.reqs"), c.writes);
    params.number(name("wr.bytes"), c.written_bytes);
    params.number(name("wr.times"), c.write_ns);
    params.number(name("fl.reqs"), c.flushes);
    params.number(name("fl.times"), c.flush_ns);
  }
  if (image.path.empty()) return;
  if (const auto* sizes = image.at_rest) {
    // libvirt leaves out what is zero.
    const auto some = [&](const char* what, std::uint64_t bytes) {
      if (bytes > 0) params.number(name(what), bytes);
    };
    some("allocation", sizes->allocation_bytes);
    some("capacity", sizes->capacity_bytes);
    some("physical", sizes->physical_bytes);
  }
  if (image.counts) params.number(name("allocation"), image.counts->highest_write);
  params.number(name("capacity"), image.capacity);
  if (!host) return;
  if (const auto file = std::ranges::find(host->files, image.path, &model::FileSize::path); file != host->files.end())
    params.number(name("physical"), file->allocated_bytes);
}

const model::DiskCounts* counts_of(const model::BlockCounts& counts, const model::Disk& disk) {
  const auto found = std::ranges::find(counts, disk.info.alias, &model::DiskCounts::alias);
  return found == counts.end() ? nullptr : &*found;
}

// The number of the first image behind each disk's own, by the position of the disk. QEMU opens the chains of Vireo's
// guests by itself, so these images have no node names to draw a number from; they are counted as libvirt does: when
// all disks have theirs, from the last disk to the first.
std::vector<unsigned> numbers_behind(const std::vector<model::Disk>& disks, const model::BlockCounts& counts) {
  unsigned next = 0;
  for (const auto& disk : disks) next = std::max(next, disk.index);
  std::vector<unsigned> out(disks.size());
  if (next == 0) return out;
  for (std::size_t at = disks.size(); at-- > 0;) {
    out[at] = next + 1;
    if (const auto* disk = counts_of(counts, disks[at]); disk && !disk->chain.empty())
      next += static_cast<unsigned>(disk->chain.size() - 1);
  }
  return out;
}

}  // namespace

void put_blocks(Params& params, const BlockSources& from) {
  const auto behind = from.counts && from.backing ? numbers_behind(from.disks, *from.counts) : std::vector<unsigned>();
  std::vector<Image> images;
  for (std::size_t at = 0; at < from.disks.size(); ++at) {
    const auto& disk = from.disks[at];
    const auto* of_disk = from.counts ? counts_of(*from.counts, disk) : nullptr;
    Image top{.disk = &disk, .path = disk.file, .index = disk.index, .top = true};
    if (at < from.at_rest.size() && from.at_rest[at]) top.at_rest = &*from.at_rest[at];
    if (!of_disk || of_disk->chain.empty()) {
      images.push_back(std::move(top));
      continue;
    }
    for (std::size_t depth = 0; depth < of_disk->chain.size(); ++depth) {
      if (depth > 0 && !from.backing) break;
      const auto& counted = of_disk->chain[depth];
      Image entry = top;
      if (depth > 0) {
        const auto first = behind[at];
        entry = Image{.disk = &disk, .path = {}, .index = first == 0 ? 0 : first + static_cast<unsigned>(depth) - 1};
      }
      entry.counts = &counted;
      if (from.facts) {
        const auto fact = std::ranges::find(*from.facts, counted.node, &model::ImageFacts::node);
        if (fact != from.facts->end() && !counted.node.empty()) {
          entry.capacity = fact->capacity_bytes;
          if (depth > 0) entry.path = fact->file;
        }
      }
      images.push_back(std::move(entry));
    }
  }
  params.put("block.count", static_cast<std::uint32_t>(images.size()));
  for (std::size_t i = 0; i < images.size(); ++i) put_image(params, i, images[i], from.host);
}

}  // namespace vireo::core
