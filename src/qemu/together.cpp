// Counting down to the last.
#include "qemu/together.hpp"

#include "base/wake.hpp"

namespace vireo::qemu {

namespace {

constexpr auto kLastWord = std::chrono::seconds(1);  // beyond the deadline, for those who tell that it has passed

struct Count {
  explicit Count(const asio::any_io_executor& executor) : all_ended(executor) {}
  Wake all_ended;
  std::size_t under_way = 0;
  std::optional<Error> failure;
  std::size_t failed = 0;  // which part it is of

  // A monitor answers in order, so of several that it is silent about the first is the one that it hangs at.
  void note(std::size_t part, Error error) {
    const bool earlier = failure && part < failed && failure->code == VIR_ERR_OPERATION_TIMEOUT &&
                         error.code == VIR_ERR_OPERATION_TIMEOUT;
    if (failure && !earlier) return;
    failure = std::move(error);
    failed = part;
  }
};

asio::awaitable<void> run_part(std::size_t number, asio::awaitable<Result<void>> part, std::shared_ptr<Count> count) {
  Result<void> done;
  // One that throws has ended like the others.
  try {
    done = co_await std::move(part);
  } catch (const std::exception& e) {
    done = fail(VIR_ERR_INTERNAL_ERROR, e.what());
  }
  if (!done) count->note(number, std::move(done.error()));
  if (--count->under_way == 0) count->all_ended.fire();
}

}  // namespace

asio::awaitable<Result<void>> together(std::vector<asio::awaitable<Result<void>>> parts, Deadline deadline) {
  if (parts.empty()) co_return Result<void>();
  auto executor = co_await asio::this_coro::executor;
  auto count = std::make_shared<Count>(executor);
  count->under_way = parts.size();
  for (std::size_t i = 0; i < parts.size(); ++i)
    asio::co_spawn(executor, run_part(i, std::move(parts[i]), count), asio::detached);
  const bool ended = co_await count->all_ended.wait(Deadline::at(deadline.time() + kLastWord));
  if (count->failure) co_return std::unexpected(std::move(*count->failure));
  if (!ended) co_return fail(VIR_ERR_OPERATION_TIMEOUT, "the monitor did not answer everything in time");
  co_return Result<void>();
}

}  // namespace vireo::qemu
