// Workers: a bounded pool of threads for work that may block: spawning, disk, the database, probes. One pool for each
// kind of work, so that a hung file system starves nothing else. A coroutine hands a function over and gets its result
// back on its own executor. Functions own what they use (capture by value): when a deadline passes or the waiting
// coroutine is cancelled, the function may still be running and its result is dropped.
#pragma once

#include <exception>
#include <string>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/wait_stats.hpp"
#include "base/wake.hpp"

namespace vireo {

class Workers {
 public:
  Workers(std::string name, unsigned threads) : name_(std::move(name)), pool_(threads) {}
  ~Workers() { stop(); }

  // Waits for what is running; what is queued and not begun is dropped. Must have happened before the executors of
  // waiting coroutines go.
  void stop() {
    pool_.stop();
    pool_.join();
  }

  const std::string& name() const { return name_; }
  // Time from handing a function over until a thread took it.
  const WaitStats& queue_waits() const { return queue_waits_; }
  // Functions that were handed over and have not ended. At 0, no thread of the pool touches anything of its callers.
  unsigned busy() const { return busy_.load(std::memory_order_acquire); }

  // Runs `work` on a worker. Error: VIR_ERR_OPERATION_TIMEOUT when the deadline passes first, VIR_ERR_INTERNAL_ERROR
  // when `work` throws.
  template <class T>
  asio::awaitable<Result<T>> run(std::move_only_function<Result<T>()> work, Deadline deadline) {
    auto executor = co_await asio::this_coro::executor;
    auto job = std::make_shared<Job<T>>(executor, std::move(work));
    const auto handed_over = SteadyClock::now();
    busy_.fetch_add(1, std::memory_order_relaxed);
    asio::post(pool_, [this, job, executor, handed_over]() mutable {
      queue_waits_.add(SteadyClock::now() - handed_over);
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

  std::string name_;
  WaitStats queue_waits_;
  std::atomic<unsigned> busy_{0};
  asio::thread_pool pool_;
};

}  // namespace vireo
