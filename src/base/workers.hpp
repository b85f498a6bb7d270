// Workers: a bounded pool of threads for work that may block: spawning, disk, the database, probes. One pool for each
// kind of work, so that a hung file system starves nothing else. A coroutine hands a function over and gets its result
// back on its own executor. Functions own what they use (capture by value): when a deadline passes or the waiting
// coroutine is cancelled, the function may still be running and its result is dropped.
#pragma once

#include <exception>
#include <functional>
#include <optional>
#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/wait_site.hpp"
#include "base/wake.hpp"

namespace vireo {

class Workers {
 public:
  // How a pool without threads works, for tests on virtual time: each function is run on the executor of its caller,
  // once `delay` has passed.
  struct Inline {
    std::function<SteadyClock::duration()> delay;
    // The outcome of functions without a result of their own, which are then not run: there are no files in such a
    // test. Empty: they are run like the others.
    std::function<Result<void>()> instead;
  };

  Workers(std::string name, unsigned threads)
      : name_(std::move(name)), threads_(threads), pool_(std::in_place, threads) {}
  Workers(std::string name, Inline how) : name_(std::move(name)), inline_(std::move(how)) {}
  ~Workers() { stop(); }

  // Waits for what is running; what is queued and not begun is dropped. Must have happened before the executors of
  // waiting coroutines go.
  void stop() {
    if (!pool_) return;
    pool_->stop();
    pool_->join();
  }

  const std::string& name() const { return name_; }
  // Functions that were handed over and have not ended. At 0, no thread of the pool touches anything of its callers.
  unsigned busy() const { return busy_.load(std::memory_order_acquire); }

  // Runs `work` on a worker. Error: VIR_ERR_OPERATION_TIMEOUT when the deadline passes first, VIR_ERR_INTERNAL_ERROR
  // when `work` throws. The time until a thread takes it is reported as a wait of the calling line.
  template <class T>
  asio::awaitable<Result<T>> run(std::move_only_function<Result<T>()> work, Deadline deadline,
                                 std::source_location where = std::source_location::current()) {
    auto executor = co_await asio::this_coro::executor;
    if (!pool_) co_return co_await run_inline<T>(inline_, executor, std::move(work));
    auto job = std::make_shared<Job<T>>(executor, std::move(work));
    const auto handed_over = SteadyClock::now();
    // With a thread to spare, what is waited for is only that it wakes up.
    const bool all_busy = busy_.fetch_add(1, std::memory_order_relaxed) >= threads_;
    const char* const holder = all_busy ? last_begun_.load(std::memory_order_relaxed) : nullptr;
    asio::post(*pool_, [this, job, executor, handed_over, where, holder]() mutable {
      WaitSite::at("workers", name_, where).add(SteadyClock::now() - handed_over, holder);
      last_begun_.store(where.function_name(), std::memory_order_relaxed);
      job->run();
      // Given away whole: the job's timer belongs to that executor and must not be destroyed here.
      asio::post(executor, [job = std::move(job)] { job->done.fire(); });
      busy_.fetch_sub(1, std::memory_order_release);
    });
    if (!co_await job->done.wait(deadline))
      co_return fail(VIR_ERR_OPERATION_TIMEOUT, "no answer in time from the '" + name_ + "' workers");
    co_return std::move(*job->result);
  }

 private:
  template <class T>
  struct Job {
    Job(const asio::any_io_executor& executor, std::move_only_function<Result<T>()> w)
        : done(executor), work(std::move(w)) {}
    void run() {
      try {
        result = work();
      } catch (const std::exception& e) {
        result = fail(VIR_ERR_INTERNAL_ERROR, e.what());
      }
      work = nullptr;
    }
    Wake done;  // touched on the waiter's executor only
    std::move_only_function<Result<T>()> work;
    std::optional<Result<T>> result;
  };

  template <class T>
  static asio::awaitable<Result<T>> run_inline(const Inline& how, asio::any_io_executor executor,
                                               std::move_only_function<Result<T>()> work) {
    Wake never(executor);
    co_await never.wait(Deadline::in(how.delay()));
    if constexpr (std::is_void_v<T>)
      if (how.instead) co_return how.instead();
    co_return work();
  }

  std::string name_;
  const unsigned threads_ = 0;
  std::atomic<unsigned> busy_{0};
  std::atomic<const char*> last_begun_{nullptr};
  Inline inline_;
  std::optional<asio::thread_pool> pool_;  // none: inline
};

}  // namespace vireo
