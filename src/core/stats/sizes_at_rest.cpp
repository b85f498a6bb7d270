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
  const auto at = folders_.try_emplace(folder).first;
  auto& wanted = at->second.wanted[image];
  if (!wanted) {
    wanted = std::make_shared<Look>();
    get_in_line(at);
  }
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
    forget_idle(found);
  }
  co_return fail(VIR_ERR_OPERATION_TIMEOUT,
                 "the file system of '" + file + "' has not answered in time; the sizes of this image are not known");
}

void SizesAtRest::get_in_line(Folders::iterator folder) {
  if (folder->second.in_line == kOfOneFolder) return;
  ++folder->second.in_line;
  line_.push_back(folder->first);
}

void SizesAtRest::forget_idle(Folders::iterator folder) {
  const auto& [wanted, under_way, in_line] = folder->second;
  if (wanted.empty() && under_way == 0 && in_line == 0) folders_.erase(folder);
}

void SizesAtRest::begin_what_may() {
  while (under_way_ < kAtOnce && !line_.empty()) {
    const auto at = folders_.find(line_.front());
    line_.pop_front();
    auto& [wanted, under_way, in_line] = at->second;
    --in_line;
    // With enough under way it gets in line again when one of them has ended.
    if (!wanted.empty() && under_way < kOfOneFolder) {
      ++under_way_;
      ++under_way;
      auto next = wanted.extract(wanted.begin());
      if (!wanted.empty()) get_in_line(at);
      asio::co_spawn(host_.core, look(*this, at->first, std::move(next.key()), std::move(next.mapped())),
                     asio::detached);
    }
    forget_idle(at);
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
  --found->second.under_way;
  if (!found->second.wanted.empty()) self.get_in_line(found);
  self.forget_idle(found);
  self.begin_what_may();
}

}  // namespace vireo::core
