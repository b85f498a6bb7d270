// Many guests that are started at once, by a number of clients that do not know of each other: what a mass start and
// a storm measure. One crowd is the guests of one server, or as many QEMUs that nobody manages (bare_crowd.hpp). All
// guests' names begin with `crowd_prefix`; nothing else on a server is touched.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "report.hpp"
#include "server.hpp"

namespace vireo::bench {

inline constexpr const char* crowd_prefix = "bench-crowd-";
std::string crowd_name(int n);

// What every guest of a crowd is. Where nothing is said of a kernel, guests have nothing to boot and are started
// paused.
struct CrowdPlan {
  int guests = 40;
  int memory_mib = 32;
  std::string kernel_folder;   // with the files vmlinuz, initrd and cmdline; empty: none
  std::string console_folder;  // guests with a kernel write their serial console to a file in here
  std::string image_folder;    // with a qcow2 image for each guest; empty: guests have no disk and no balloon

  bool paused() const { return kernel_folder.empty(); }
  std::string console(int n) const { return console_folder + "/" + crowd_name(n) + ".log"; }
  std::string image(int n) const { return image_folder + "/" + crowd_name(n) + ".qcow2"; }
};
// Guest number n; fixed UUIDs, so that every server is told the same.
std::string crowd_xml(const CrowdPlan& plan, int n);

class Crowd {
 public:
  explicit Crowd(CrowdPlan plan) : plan_(std::move(plan)) {}
  virtual ~Crowd() = default;
  const CrowdPlan& plan() const { return plan_; }

  // Makes ready, unmeasured, for starts by this many clients; client c starts the guests c, c + clients, …
  virtual Result<void> prepare(int clients) = 0;
  // From the thread of client `client` alone.
  virtual Result<void> start(int client, int guest) = 0;
  // Ends all guests that run; they can be started again.
  virtual Result<void> stop_all() = 0;

 private:
  CrowdPlan plan_;
};

// The crowd of one server, through libvirt's client library: each client has a connection of its own.
class ServerCrowd final : public Crowd {
 public:
  ServerCrowd(std::string uri, CrowdPlan plan) : Crowd(std::move(plan)), uri_(std::move(uri)) {}
  ~ServerCrowd() override;  // undefines the guests

  Result<void> prepare(int clients) override;
  Result<void> start(int client, int guest) override;
  Result<void> stop_all() override;

 private:
  Result<void> define_all();
  void forget_all();
  std::string uri_;
  bool defined_ = false;
  std::vector<Connection> connections_;
  std::vector<Guest> handles_;  // by number of the guest, on its client's connection
};

struct Storm {
  Clock::duration total{};  // from the first call until the last answer
  Series each;              // from a guest's call until its answer
};

// Starts a crowd that has been prepared for as many clients, each client a thread, all beginning together.
Result<Storm> start_crowd(Crowd& crowd, int clients);

}  // namespace vireo::bench
