// One server under measurement, seen through libvirt's client library as any client sees it, with the guests that
// the measurement defines there. All their names begin with `guest_prefix`; nothing else on the server is touched.
#pragma once

#include <libvirt/libvirt.h>

#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace vireo::bench {

inline constexpr const char* guest_prefix = "bench-peers-";
inline constexpr int guests_defined = 20;
inline constexpr int guests_running = 5;

struct Disconnect {
  void operator()(virConnectPtr c) const { virConnectClose(c); }
};
struct FreeDomain {
  void operator()(virDomainPtr d) const { virDomainFree(d); }
};
using Connection = std::unique_ptr<virConnect, Disconnect>;
using Guest = std::unique_ptr<virDomain, FreeDomain>;

// The last error of the client library, as a value.
std::unexpected<Error> last_error(const std::string& what);

// The definition of guest number `n`: small, paused from birth, so that emulation costs nothing. Numbers have fixed
// UUIDs, so that every server is asked the same.
std::string guest_xml(int n);
std::string guest_name(int n);

struct Server {
  std::string name;
  std::string uri;
  // A replaying server answers from what another one said: its guests are the other's.
  bool replays = false;
  Connection connection;
  Guest running;  // a running guest, for info and XML
  Guest stopped;  // a defined one, for start and destroy

  Result<void> connect();
  // Defines the guests and starts some of them, paused; on a replaying server only finds them.
  Result<void> prepare();
  // Ends and undefines whatever bears our prefix, also from a run that was cut short.
  void clean_up();
};

}  // namespace vireo::bench
