// Whose turn it is.
#include "core/stats/sizes_at_rest.hpp"

#include "core/host.hpp"

namespace vireo::core {
namespace {

constexpr unsigned kOfOneFolder = 2;
constexpr unsigned kAtOnce = 6;  // there are eight such workers
// Until a file system that hangs answers; meanwhile its folder has no place for others.
constexpr auto kPatience = std::chrono::hours(24);

}  // namespace

asio::awaitable<Result<model::ImageSizes>> SizesAtRest::of(std::string file, model::ImageFormat format,
                                                           Deadline deadline) {
  const auto folder = file.substr(0, file.rfind('/') + 1);
  const Image image{file, format};
  auto& wanted = folders_[folder].wanted[image];
  if (!wanted) wanted = std::make_shared<Look>();
  const auto look = wanted;
  const auto wake = std::make_shared<Wake>(host_.core);
  look->waiting.push_back(wake);
  begin_what_may();
  if (co_await wake->wait(deadline)) co_return look->sizes;
  // What nobody waits for any more need not begin.
  std::erase(look->waiting, wake);
  if (const auto found = folders_.find(folder); look->waiting.empty() && found != folders_.end()) {
    auto& still = found->second.wanted;
    if (const auto mine = still.find(image); mine != still.end() && mine->second == look) still.erase(mine);
    if (still.empty() && found->second.under_way == 0) folders_.erase(found);
  }
  co_return fail(VIR_ERR_OPERATION_TIMEOUT,
                 "the file system of '" + file + "' has not answered in time; the sizes of this image are not known");
}

void SizesAtRest::begin_what_may() {
  for (auto& [name, folder] : folders_)
    while (under_way_ < kAtOnce && folder.under_way < kOfOneFolder && !folder.wanted.empty()) {
      ++under_way_;
      ++folder.under_way;
      auto next = folder.wanted.extract(folder.wanted.begin());
      asio::co_spawn(host_.core, look(*this, name, std::move(next.key()), std::move(next.mapped())), asio::detached);
    }
}

asio::awaitable<void> SizesAtRest::look(SizesAtRest& self, std::string folder, Image image, LookPtr look) {
  std::move_only_function<Result<model::ImageSizes>()> read = [&facts = self.host_.facts, image = std::move(image)] {
    return facts.image_sizes(image.first, image.second);
  };
  look->sizes = co_await self.host_.image_workers.run<model::ImageSizes>(std::move(read), Deadline::in(kPatience));
  for (const auto& wake : look->waiting) wake->fire();
  --self.under_way_;
  const auto found = self.folders_.find(folder);
  if (--found->second.under_way == 0 && found->second.wanted.empty()) self.folders_.erase(found);
  self.begin_what_may();
}

}  // namespace vireo::core
