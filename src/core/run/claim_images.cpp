// Which disk images a guest writes to, and that nobody else does.
#include <sys/stat.h>

#include "base/log.hpp"
#include "core/run/run.hpp"

namespace vireo::core {
namespace {

struct Wanted {
  std::string file;
  bool writes, shared;
};

struct Found {
  std::string file;
  ports::ClaimedImage image;
};

std::vector<Wanted> images_of(const model::DomainDef& live) {
  std::vector<Wanted> images;
  for (const auto& disk : live.devices.disks)
    if (!disk.file.empty()) images.push_back({.file = disk.file, .writes = !disk.readonly, .shared = disk.shareable});
  return images;
}

// On a worker: a file system that hangs holds up its own guest.
Result<std::vector<Found>> look_at(const std::vector<Wanted>& images) {
  std::vector<Found> found;
  for (const auto& image : images) {
    struct stat facts{};
    if (::stat(image.file.c_str(), &facts) != 0) {
      auto error = fail_errno(errno, "Cannot access storage file '" + image.file + "'");
      error.error().domain = VIR_FROM_STORAGE;
      return error;
    }
    if (!image.writes) continue;
    ports::ImageIdentity identity{.device = facts.st_dev, .inode = facts.st_ino};
    if (S_ISBLK(facts.st_mode)) identity = {.device = facts.st_rdev, .inode = 0};
    found.push_back({.file = image.file, .image = {.identity = identity, .shared = image.shared}});
  }
  return found;
}

Sharing sharing_of(const ports::ClaimedImage& image) {
  return image.shared ? Sharing::WithOthersThatShare : Sharing::Alone;
}

}  // namespace

asio::awaitable<Result<std::vector<ports::ClaimedImage>>> claim_images(Host& host, std::string name,
                                                                       model::DomainDefPtr live,
                                                                       std::shared_ptr<Run> run, Deadline deadline) {
  std::vector<ports::ClaimedImage> claimed;
  auto images = images_of(*live);
  if (images.empty()) co_return claimed;
  std::move_only_function<Result<std::vector<Found>>()> look = [images] { return look_at(images); };
  auto found = co_await host.image_workers.run<std::vector<Found>>(std::move(look), deadline);
  if (!found) co_return pass_on(found);
  for (auto& [file, image] : *found) {
    auto claim = host.images.claim(image.identity, name, sharing_of(image));
    if (!claim)
      co_return fail(VIR_ERR_RESOURCE_BUSY, "disk image '" + file + "' is written to by running guest '" +
                                                claim.error() +
                                                "'; end that guest, or mark the disk <shareable/> in both");
    run->images.push_back(std::move(*claim));
    claimed.push_back(image);
  }
  co_return claimed;
}

void claim_recorded_images(Host& host, const ports::RunRecord& record, Run& run) {
  run.images.reserve(record.images.size());
  for (const auto& image : record.images)
    run.images.push_back(host.images.inherit(image.identity, record.name, sharing_of(image)));
}

}  // namespace vireo::core
