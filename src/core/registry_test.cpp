// The registry against a plain model, by random operations: what is published, what is claimed, and that the three
// indexes never disagree.
#include "core/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace vireo::core {
namespace {

// What the registry should hold, as plainly as it can be said.
struct Model {
  struct Guest {
    Uuid uuid;
    std::string name;
    int id = -1;
    bool published = false;
    unsigned claims = 0;
  };
  std::vector<Guest> guests;

  Guest* by_uuid(const Uuid& uuid) {
    const auto found = std::ranges::find(guests, uuid, &Guest::uuid);
    return found == guests.end() ? nullptr : &*found;
  }
  Guest* by_name(const std::string& name) {
    const auto found = std::ranges::find(guests, name, &Guest::name);
    return found == guests.end() ? nullptr : &*found;
  }
  void forget_unused() {
    std::erase_if(guests, [](const Guest& g) { return !g.published && g.claims == 0; });
  }
};

void expect_agreement(const Registry& registry, Model& model) {
  const auto version = registry.versions().pin();
  std::size_t published = 0, running = 0;
  for (const auto& guest : model.guests) {
    const auto* seen = version->by_uuid.find(guest.uuid);
    ASSERT_EQ(seen != nullptr, guest.published);
    ASSERT_EQ(registry.find(guest.uuid) != nullptr, guest.published);
    if (!seen) continue;
    ++published;
    ASSERT_EQ((*seen)->id, guest.id);
    ASSERT_EQ(*version->by_name.find(guest.name), *seen);
    if (guest.id < 0) continue;
    ++running;
    ASSERT_EQ(*version->by_id.find(guest.id), *seen);
  }
  ASSERT_EQ(version->by_uuid.size(), published);
  ASSERT_EQ(version->by_name.size(), published);
  ASSERT_EQ(version->by_id.size(), running);
  ASSERT_EQ(registry.all().size(), published);
}

void run_random_operations(unsigned seed) {
  asio::io_context io;
  Registry registry(io.get_executor());
  Model model;
  std::mt19937 random(seed);
  std::vector<Uuid> uuids(6);
  for (auto& uuid : uuids) uuid = Uuid::random();
  std::vector<std::pair<Uuid, DomainClaim>> claims;
  int next_id = 1;

  for (int step = 0; step < 3000; ++step) {
    const auto uuid = uuids[random() % uuids.size()];
    const std::string name = "guest-" + std::to_string(random() % 6);
    switch (random() % 4) {
      case 0: {  // claim: granted if nobody has either of the two, or one guest has both
        auto* owner = model.by_uuid(uuid);
        auto* namesake = model.by_name(name);
        auto claim = registry.claim(uuid, name);
        ASSERT_EQ(claim.has_value(), owner == namesake);
        if (!claim) break;
        if (!owner) owner = &model.guests.emplace_back(Model::Guest{.uuid = uuid, .name = name});
        ++owner->claims;
        claims.emplace_back(uuid, std::move(*claim));
        break;
      }
      case 1: {  // publish through a claim, running or not
        if (claims.empty()) break;
        auto& [owner, claim] = claims[random() % claims.size()];
        auto* guest = model.by_uuid(owner);
        guest->published = true;
        guest->id = random() % 2 ? next_id++ : -1;
        registry.publish(*claim.domain(), {.uuid = guest->uuid, .name = guest->name, .id = guest->id});
        break;
      }
      case 2: {  // withdraw whatever is published under the UUID
        const auto domain = registry.find(uuid);
        if (!domain) break;
        registry.withdraw(*domain);
        model.by_uuid(uuid)->published = false;
        break;
      }
      default: {  // give a claim back
        if (claims.empty()) break;
        const auto at = claims.begin() + static_cast<std::ptrdiff_t>(random() % claims.size());
        --model.by_uuid(at->first)->claims;
        std::vector<std::pair<Uuid, DomainClaim>> rest;
        for (auto it = claims.begin(); it != claims.end(); ++it)
          if (it != at) rest.emplace_back(it->first, std::move(it->second));
        claims = std::move(rest);
        break;
      }
    }
    model.forget_unused();
    expect_agreement(registry, model);
  }
}

TEST(Registry, AgreesWithAPlainModel) {
  for (unsigned seed = 0; seed < 10; ++seed) run_random_operations(seed);
}

TEST(Registry, EveryChangeHasANumberOfItsOwn) {
  asio::io_context io;
  Registry registry(io.get_executor());
  const auto uuid = Uuid::random();
  auto claim = registry.claim(uuid, "web");
  EXPECT_EQ(registry.versions().snapshot()->number, 0U);
  registry.publish(*claim->domain(), {.uuid = uuid, .name = "web"});
  EXPECT_EQ(registry.versions().snapshot()->number, 1U);
  registry.withdraw(*claim->domain());
  EXPECT_EQ(registry.versions().snapshot()->number, 2U);
}

TEST(Registry, AnObserverHearsOfEveryChange) {
  asio::io_context io;
  Registry registry(io.get_executor());
  const auto told = [](const model::DomainViewPtr& view) {
    return view ? fmt::format("{} {}", view->name, view->id) : std::string("none");
  };
  std::vector<std::string> heard;
  registry.observe([&](const model::DomainViewPtr& before, const model::DomainViewPtr& after) {
    heard.push_back(told(before) + ", " + told(after));
    EXPECT_EQ(registry.versions().snapshot()->number, heard.size());  // it is what everybody sees by now
  });
  const auto uuid = Uuid::random();
  auto claim = registry.claim(uuid, "web");
  registry.publish(*claim->domain(), {.uuid = uuid, .name = "web"});
  registry.publish(*claim->domain(), {.uuid = uuid, .name = "web", .id = 7});
  registry.rename(std::move(*registry.claim_name(claim->domain(), "www")), {.uuid = uuid, .name = "www"});
  registry.withdraw(*claim->domain());
  registry.withdraw(*claim->domain());  // nothing is there any more
  EXPECT_EQ(heard, (std::vector<std::string>{"none, web -1", "web -1, web 7", "web 7, www -1", "www -1, none"}));
}

TEST(Registry, ARenameMovesBothIndexesInOneVersion) {
  asio::io_context io;
  Registry registry(io.get_executor());
  const auto uuid = Uuid::random();
  {
    auto claim = registry.claim(uuid, "web");
    registry.publish(*claim->domain(), {.uuid = uuid, .name = "web"});
  }
  EXPECT_EQ(registry.claim_name(registry.find(uuid), "web").error().code, VIR_ERR_OPERATION_INVALID);
  {
    auto dropped = registry.claim_name(registry.find(uuid), "shop");
    EXPECT_FALSE(registry.claim(Uuid::random(), "shop"));
    EXPECT_EQ(registry.names_taken(), 2U);
  }
  EXPECT_EQ(registry.names_taken(), 1U);
  auto waiting = registry.claim(uuid, "web");
  auto claim = registry.claim_name(registry.find(uuid), "shop");
  registry.rename(std::move(*claim), {.uuid = uuid, .name = "shop"});
  const auto version = registry.versions().snapshot();
  EXPECT_EQ(version->number, 2U);
  EXPECT_EQ(version->by_name.find(std::string("web")), nullptr);
  EXPECT_EQ((*version->by_name.find(std::string("shop")))->uuid, uuid);
  EXPECT_EQ((*version->by_uuid.find(uuid))->name, "shop");
  // Who held the guest by its old name is told; the old name is free.
  EXPECT_EQ(Registry::check_name(*waiting->domain(), "web").error().code, VIR_ERR_OPERATION_FAILED);
  EXPECT_TRUE(registry.claim(Uuid::random(), "web"));
  registry.withdraw(*waiting->domain());
  EXPECT_EQ(registry.names_taken(), 1U);
}

}  // namespace
}  // namespace vireo::core
