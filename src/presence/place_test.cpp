// Whose a path is: homes, machines and backends, with ids and UUIDs well formed and not.
#include "presence/place.hpp"

#include <gtest/gtest.h>

namespace vireo::presence {
namespace {

using Kind = Place::Kind;

std::optional<Place> of(std::string_view text) { return place_of(tree::Path::parse(text).value()); }

TEST(Place, Homes) {
  const auto home = of("/local/domain/7");
  ASSERT_TRUE(home);
  EXPECT_EQ(home->kind, Kind::home);
  EXPECT_EQ(home->id, 7U);
  EXPECT_EQ(home->inside, "");
  EXPECT_EQ(of("/local/domain/7/control/shutdown")->inside, "control/shutdown");
}

TEST(Place, Backends) {
  const auto back = of("/local/domain/0/backend/qdisk/12/51712/params");
  ASSERT_TRUE(back);
  EXPECT_EQ(back->kind, Kind::backend);
  EXPECT_EQ(back->id, 12U);
  EXPECT_EQ(back->inside, "51712/params");
}

TEST(Place, Machines) {
  EXPECT_EQ(of("/vm")->uuid, "");
  const auto machine = of("/vm/4f1c0f5e-7a31-4c0a-9d51-000000000008/image/ostype");
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->kind, Kind::machine);
  EXPECT_EQ(machine->uuid, "4f1c0f5e-7a31-4c0a-9d51-000000000008");
  EXPECT_EQ(machine->inside, "image/ostype");
}

TEST(Place, Elsewhere) {
  for (const auto* path :
       {"/", "/local", "/local/domain", "/local/domain/0", "/local/domain/0/name", "/local/domain/0/backend",
        "/local/domain/0/backend/vbd", "/local/domain/0/backend/vbd/0", "/local/domain/0/backend/vbd/x",
        "/local/domain/07", "/local/domain/7x", "/local/domain/99999999999", "/locals/domain/7", "/vms", "/tool/vm"})
    EXPECT_FALSE(belongs_to_guest(tree::Path::parse(path).value())) << path;
}

}  // namespace
}  // namespace vireo::presence
