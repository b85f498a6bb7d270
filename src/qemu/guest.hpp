// One running guest as the core sees it: its process and its monitor, their events put into one order. The state behind
// it is shared with the coroutines that work on it, so a guest may be destroyed while a call is under way: that call
// then fails, and the process lives on. A monitor that closes while the process lives is connected to again.
#pragma once

#include <deque>
#include <memory>
#include <string>

#include "base/workers.hpp"
#include "ports/hypervisor.hpp"
#include "qemu/process.hpp"
#include "qemu/up_watch.hpp"
#include "qmp/monitor.hpp"

namespace vireo::qemu {

// Where a guest's process writes, and since when.
struct GuestLogPlace {
  std::string path;
  std::uint64_t begins_at = 0;
};

// Takes back what a guest's process leaves outside itself. Blocks (on a worker); doing it twice does no harm.
using CleanUp = std::function<void()>;

class GuestState : public std::enable_shared_from_this<GuestState> {
 public:
  // Takes the connection and the process over and begins to collect their events. `workers` read the log at the end.
  static std::shared_ptr<GuestState> open(const asio::any_io_executor& executor, Workers& workers,
                                          ports::ProcessIdentity identity, Fd pidfd, Fd monitor, GuestLogPlace log);

  GuestState(const GuestState&) = delete;
  GuestState& operator=(const GuestState&) = delete;
  ~GuestState() { let_go(); }

  const ports::ProcessIdentity& identity() const { return identity_; }
  const qmp::MonitorPtr& monitor() const { return monitor_; }
  const std::shared_ptr<Process>& process() const { return process_; }
  const GuestLogPlace& log() const { return log_; }
  Workers& workers() const { return workers_; }
  const asio::any_io_executor& executor() const { return executor_; }

  // Whenever the monitor closes from now on (or has closed already) and the process lives, a new connection is made in
  // the background, again and again until QEMU answers; then what the vCPUs do is told as if it had just been heard of.
  // Calls fail meanwhile.
  void keep_connected(std::string monitor_path);
  // What was collected so far goes to `sink` in a later turn of the executor, what comes then at once.
  void deliver_to(ports::GuestEventSink sink);
  // What is to be done once the process has ended, before anybody is told.
  void clean_up_with(CleanUp clean_up) { clean_up_ = std::move(clean_up); }
  // Watches for a sign for as long as the guest is held, and tells once it is there.
  void watch_for(UpWatch& watch, model::UpSign sign, SoughtSign sought);
  // What QEMU has said last in its log, or else how its process has ended; empty: nothing, and it lives.
  static asio::awaitable<std::string> last_words(std::shared_ptr<GuestState> self);
  // Does it; the process must have ended.
  static asio::awaitable<void> clean_up(std::shared_ptr<GuestState> self);
  // The end that comes is the host's wish: it needs no explanation from the log.
  void expect_end() { end_expected_ = true; }
  // Closes the monitor, stops watching the process, tells nobody anything any more.
  void let_go();

 private:
  GuestState(const asio::any_io_executor& executor, Workers& workers, ports::ProcessIdentity identity,
             GuestLogPlace log);
  qmp::MonitorPtr open_monitor(Fd connection);
  static asio::awaitable<Result<void>> connect_anew(std::shared_ptr<GuestState> self, Deadline deadline);
  void on_monitor_closed();
  static asio::awaitable<void> reconnect(std::shared_ptr<GuestState> self);
  static asio::awaitable<void> stop_capturing(std::shared_ptr<GuestState> self);
  void take(const qmp::Event& event);
  void tell(ports::GuestEvent event);
  void flush();
  static asio::awaitable<void> tell_end(std::shared_ptr<GuestState> self);

  asio::any_io_executor executor_;
  Workers& workers_;
  ports::ProcessIdentity identity_;
  GuestLogPlace log_;
  CleanUp clean_up_;
  std::vector<UpWatch::Ticket> watching_;
  qmp::MonitorPtr monitor_;
  std::shared_ptr<Process> process_;
  std::shared_ptr<Wake> monitor_closed_;  // the present one
  std::string monitor_path_;              // empty: a closed monitor stays closed
  SteadyClock::time_point connected_at_;
  std::chrono::milliseconds next_pause_{0};
  bool reconnecting_ = false;
  std::deque<ports::GuestEvent> untold_;
  std::shared_ptr<const ports::GuestEventSink> sink_;
  bool delivering_ = false;
  bool end_expected_ = false;
  bool end_told_ = false;
  bool let_go_ = false;
};

using GuestStatePtr = std::shared_ptr<GuestState>;

class QemuGuest : public ports::Guest {
 public:
  // `balloon_path`: the balloon's place in QEMU's object tree; empty: there is none.
  explicit QemuGuest(GuestStatePtr state, std::string balloon_path = {})
      : state_(std::move(state)), balloon_path_(std::move(balloon_path)) {}
  QemuGuest(const QemuGuest&) = delete;
  QemuGuest& operator=(const QemuGuest&) = delete;
  ~QemuGuest() override { state_->let_go(); }

  const ports::ProcessIdentity& process() const override { return state_->identity(); }
  asio::awaitable<Result<void>> resume(Deadline deadline) override;
  asio::awaitable<Result<void>> pause(Deadline deadline) override;
  asio::awaitable<Result<void>> reset(Deadline deadline) override;
  asio::awaitable<Result<void>> press_power_button(Deadline deadline) override;
  asio::awaitable<Result<std::string>> monitor_command(std::string command, bool human, Deadline deadline) override;
  asio::awaitable<Result<ports::Vcpus>> query_vcpus(Deadline deadline) override;
  asio::awaitable<Result<ports::MonitorAnswer>> ask_figures(ports::MonitorQuestion question,
                                                            Deadline deadline) override;
  asio::awaitable<Result<void>> set_balloon_period(int seconds, Deadline deadline) override;
  asio::awaitable<Result<void>> start_dirty_rate(int seconds, std::string mode, Deadline deadline) override;
  asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> query_disk_errors(
      Deadline deadline) override;
  asio::awaitable<Result<void>> end(bool gentle, Deadline deadline) override;

 private:
  GuestStatePtr state_;
  const std::string balloon_path_;
};

}  // namespace vireo::qemu
