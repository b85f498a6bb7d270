// Reading anew, comparing, publishing.
#include "daemon/configuration.hpp"

#include <filesystem>

#include "base/log.hpp"

namespace vireo::daemon {
namespace {

constexpr std::chrono::seconds patience{30};

}  // namespace

Result<Config> load_config(const Paths& paths) {
  std::error_code ignored;
  if (!paths.config_required && !std::filesystem::exists(paths.config_file, ignored)) return Config{};
  return read_config(paths.config_file);
}

Configuration::Configuration(const asio::any_io_executor& core, Workers& files, Paths paths, Config first, Apply apply)
    : files_(files),
      paths_(std::move(paths)),
      apply_(std::move(apply)),
      lane_(core, "configuration"),
      published_(std::make_shared<const Config>(std::move(first))) {}

asio::awaitable<Result<TakenUp>> Configuration::reload() {
  const auto deadline = Deadline::in(patience);
  auto turn = co_await lane_.enter("reload", deadline);
  if (!turn) co_return pass_on(turn);
  auto read = co_await files_.run<Config>([paths = paths_] { return load_config(paths); }, deadline);
  if (!read) {
    log::error("the configuration stays as it is: {}", read.error().message());
    co_return pass_on(read);
  }
  auto next = std::make_shared<Config>(*now());
  auto taken_up = take_up(*next, std::move(*read));
  if (!taken_up.changed.empty()) {
    apply_(*next);
    published_.publish(std::move(next));
  }
  log::info("{} was read anew; changed: {}; read at start only: {}", paths_.config_file,
            taken_up.changed.empty() ? "nothing" : fmt::format("{}", fmt::join(taken_up.changed, ", ")),
            taken_up.at_next_start.empty() ? "nothing" : fmt::format("{}", fmt::join(taken_up.at_next_start, ", ")));
  co_return taken_up;
}

}  // namespace vireo::daemon
