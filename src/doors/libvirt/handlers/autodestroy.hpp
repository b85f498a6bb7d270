// Guests that end with the connection that started them (VIR_DOMAIN_START_AUTODESTROY). Core thread only, but for
// making and destroying the (empty) object.
#pragma once

#include <vector>

#include "core/host.hpp"

namespace vireo::doors::libvirt {

class Autodestroy {
 public:
  // Ends this life of the guest when the connection does; at once if it has ended while the guest was being started.
  void add(core::Host& host, const model::DomainView& domain);
  // The connection is over.
  void end();

 private:
  struct Entry {
    core::Host* host;
    Uuid uuid;
    std::string name;
    int id;  // so that a later life, which somebody else started, is left alone
  };
  static asio::awaitable<void> destroy(Entry entry);

  std::vector<Entry> entries_;
  bool ended_ = false;
};

}  // namespace vireo::doors::libvirt
