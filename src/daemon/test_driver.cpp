// The test driver's own guest, with the UUID and sizes that clients' test suites know.
#include "daemon/test_driver.hpp"

#include "base/log.hpp"
#include "core/verbs/verbs.hpp"

namespace vireo::daemon {

asio::awaitable<void> start_default_test_guest(core::Host& host) {
  model::DomainDef def;
  def.type = model::VirtType::test;
  def.name = "test";
  def.uuid = Uuid::parse("6695eb01-f6a4-8304-79aa-97f2502e193f").value();
  def.memory_kib = 8'388'608;
  def.current_memory_kib = 2'097'152;
  def.vcpus_max = 2;
  def.os.type = "hvm";
  const core::DomainRef ref{.uuid = def.uuid, .name = def.name};
  auto defined = co_await core::define(host, std::move(def));
  if (!defined) {
    log::error("the test driver's guest: {}", defined.error().message());
    co_return;
  }
  if (auto started = co_await core::start(host, ref, {}); !started)
    log::error("the test driver's guest: {}", started.error().message());
}

}  // namespace vireo::daemon
