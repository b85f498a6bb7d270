// What libvirt's test:///default begins with: one running guest named "test".
#pragma once

#include "core/host.hpp"

namespace vireo::daemon {

asio::awaitable<void> start_default_test_guest(core::Host& host);

}  // namespace vireo::daemon
