// Readers on other threads while guests come and go (run under ThreadSanitizer): every version that a reader pins is
// whole, its three indexes agree, and ids are never used twice.
#include <thread>

#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

asio::awaitable<void> live_and_die(core::Host& host, std::string name, int rounds) {
  const auto def = definition(name);
  for (int i = 0; i < rounds; ++i) {
    auto defined = co_await core::define(host, def);
    EXPECT_TRUE(defined.has_value());
    auto started = co_await core::start(host, ref_of(def), {});
    EXPECT_TRUE(started.has_value());
    auto ended = co_await core::destroy(host, ref_of(def), false);
    EXPECT_TRUE(ended.has_value());
    auto undefined = co_await core::undefine(host, ref_of(def));
    EXPECT_TRUE(undefined.has_value());
  }
}

void read_until(const std::atomic<bool>& stop, const Published<model::HostVersion>& versions) {
  std::uint64_t last = 0;
  while (!stop.load(std::memory_order_relaxed)) {
    const auto version = versions.pin();
    ASSERT_GE(version->number, last);
    last = version->number;
    ASSERT_EQ(version->by_name.size(), version->by_uuid.size());
    version->by_id.for_each([&](int id, const model::DomainViewPtr& domain) {
      ASSERT_EQ(domain->id, id);
      ASSERT_EQ(*version->by_uuid.find(domain->uuid), domain);
      ASSERT_EQ(*version->by_name.find(domain->name), domain);
    });
  }
}

TEST(Readers, SeeWholeVersionsWhileGuestsComeAndGo) {
  SimHost sim;
  std::atomic<bool> stop{false};
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (int i = 0; i < 3; ++i) readers.emplace_back([&] { read_until(stop, sim.host.registry.versions()); });
  std::vector<std::future<void>> lives;
  lives.reserve(8);
  for (int i = 0; i < 8; ++i) lives.push_back(sim.begin(live_and_die(sim.host, "guest-" + std::to_string(i), 20)));
  for (auto& life : lives) life.get();
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_TRUE(sim.host.registry.versions().snapshot()->by_uuid.empty());
  EXPECT_EQ(sim.simulated_processes(), 0);
}

}  // namespace
}  // namespace vireo::tests
