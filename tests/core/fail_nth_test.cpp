// Fail the Nth: along every story the first fault point fails, then, in a run of its own, the second, and so on until
// there is none left to fail. A verb that failed must leave the host as it was: processes, claims, lanes, folders,
// rows, what readers see; and it must work when it is tried again. Where the answer was given before the fault
// (cleaning up after a guest), the next daemon must clear away what is left.
#include <fstream>

#include "base/fault.hpp"
#include "core/verbs/start_many.hpp"
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;

std::string look_at_core(core::Host& host) {
  auto seen = fmt::format("{} ports, {} images, {} launches admitted, {} UUIDs, {} names\n", host.tcp_ports.size(),
                          host.images.size(), host.admission.inside(), host.registry.uuids_taken(),
                          host.registry.names_taken());
  for (const auto& domain : host.registry.all()) {
    if (domain->lane.holder()) seen += fmt::format("lane of {} held by {}\n", domain->name, domain->lane.holder());
    if (domain->launching) seen += fmt::format("{} is being launched\n", domain->name);
  }
  return seen;
}

// One line for each thing that is there: what a failing comparison prints is what was left.
std::string look(SimHost& sim, const std::string& database) {
  sim.settle();
  std::string seen;
  const auto version = sim.host.registry.versions().snapshot();
  version->by_uuid.for_each([&](const Uuid&, const model::DomainViewPtr& view) {
    seen += fmt::format("{} guest {} {}\n", view->persistent ? "persistent" : "transient", view->name,
                        view->active() ? "runs" : "is off");
  });
  seen += fmt::format("{} processes\n", sim.simulated_processes());
  seen += sim.on_core([&sim] { return look_at_core(sim.host); });
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(sim.folder(), none))
    if (entry.is_directory()) seen += "a runtime folder\n";
  const auto rows = rows_of(database);
  for (const auto& row : rows.definitions) seen += "row of definition " + row.definition->name + "\n";
  for (const auto& row : rows.runs) seen += fmt::format("row of run {}{}\n", row.name, row.process ? "" : " (intent)");
  return seen;
}

struct Story {
  const char* name;
  // What must be there before; no fault strikes it.
  void (*prepare)(SimHost&, const model::DomainDef&);
  // The verb.
  bool (*tell)(SimHost&, const model::DomainDef&);
};

bool do_define(SimHost& sim, const model::DomainDef& def) { return sim.run(core::define(sim.host, def)).has_value(); }
bool do_start(SimHost& sim, const model::DomainDef& def) {
  return sim.run(core::start(sim.host, ref_of(def), {})).has_value();
}
bool do_create(SimHost& sim, const model::DomainDef& def) {
  return sim.run(core::create(sim.host, def, {})).has_value();
}
bool do_destroy(SimHost& sim, const model::DomainDef& def) {
  return sim.run(core::destroy(sim.host, ref_of(def), false)).has_value();
}
bool do_undefine(SimHost& sim, const model::DomainDef& def) {
  return sim.run(core::undefine(sim.host, ref_of(def))).has_value();
}
bool do_rename(SimHost& sim, const model::DomainDef& def) {
  return sim.run(core::rename(sim.host, ref_of(def), "other")).has_value();
}
Result<void> entitle(model::DomainDef& def) {
  def.title = "told";
  return {};
}
bool do_entitle(SimHost& sim, const model::DomainDef& def) {
  return sim.run(core::set_metadata(sim.host, ref_of(def), entitle, VIR_DOMAIN_AFFECT_CURRENT, {})).has_value();
}
// The guest and its neighbour, all or nothing.
bool do_start_both(SimHost& sim, const model::DomainDef&) {
  const auto done = sim.run(core::start_many(sim.host, {.named = {}, .pattern = "*"}, {.all_or_nothing = true}));
  return done && std::ranges::all_of(*done, &core::BatchResult::good);
}

void nothing(SimHost&, const model::DomainDef&) {}
void defined(SimHost& sim, const model::DomainDef& def) { ASSERT_TRUE(do_define(sim, def)); }
void running(SimHost& sim, const model::DomainDef& def) {
  defined(sim, def);
  ASSERT_TRUE(do_start(sim, def));
}
void both_defined(SimHost& sim, const model::DomainDef& def) {
  defined(sim, def);
  defined(sim, definition("neighbour"));
}
void running_transient(SimHost& sim, const model::DomainDef& def) { ASSERT_TRUE(do_create(sim, def)); }

class FailNth : public ::testing::TestWithParam<Story> {
 protected:
  model::DomainDef guest() {
    const auto disk = folder_.file("disk.img");
    std::ofstream(disk) << "an image";
    auto def = definition("web", Uuid::parse("6695eb01-f6a4-8304-79aa-97f2502e1930").value());
    def.devices.disks.push_back({.file = disk, .target = "vda"});
    def.devices.graphics.push_back({});
    return def;
  }

  const Folder folder_;
};

TEST_P(FailNth, LeavesTheHostAsItWasAndWorksAtTheNextTry) {
  const auto& story = GetParam();
  const auto def = guest();
  std::vector<std::string> points;
  for (unsigned nth = 1;; ++nth) {
    const auto database = folder_.file(std::to_string(nth) + ".db");
    std::string point = "fault point " + std::to_string(nth);
    std::string after;
    {
      SimHost sim(database);
      story.prepare(sim, def);
      const auto before = look(sim, database);
      bool worked = false, hit = false;
      {
        fault::Armed armed({.name = "", .nth = nth});
        worked = story.tell(sim, def);
        sim.settle();
        hit = armed.hit();
        points = armed.passed();
      }
      if (!hit) {
        ASSERT_TRUE(worked) << "without a fault";
        ASSERT_GE(nth, 2U) << "the story passes no fault point at all";
        return;
      }
      point += " (" + points[nth - 1] + ")";
      if (!worked) {
        EXPECT_EQ(look(sim, database), before) << point;
        EXPECT_TRUE(story.tell(sim, def)) << "the next try after " << point;
      }
      after = look(sim, database);
    }
    // The next daemon: whatever was left goes, and nothing else does.
    SimHost next(database);
    next.run(core::recover(next.host, rows_of(database), Deadline::in(10s)));
    const auto found = look(next, database);
    EXPECT_EQ(found.find("row of run"), std::string::npos) << point << ", then a new daemon:\n" << found;
    EXPECT_EQ(found.find("runtime folder"), std::string::npos) << point << ", then a new daemon:\n" << found;
    EXPECT_EQ(found.find("persistent") == std::string::npos, after.find("persistent") == std::string::npos) << point;
  }
}

INSTANTIATE_TEST_SUITE_P(Stories, FailNth,
                         ::testing::Values(Story{"define", nothing, do_define}, Story{"redefine", defined, do_define},
                                           Story{"start", defined, do_start}, Story{"create", nothing, do_create},
                                           Story{"destroy", running, do_destroy},
                                           Story{"destroy_transient", running_transient, do_destroy},
                                           Story{"undefine", defined, do_undefine},
                                           Story{"undefine_running", running, do_undefine},
                                           Story{"rename", defined, do_rename}, Story{"metadata", defined, do_entitle},
                                           Story{"metadata_running", running, do_entitle},
                                           Story{"start_both_or_neither", both_defined, do_start_both}),
                         [](const auto& story) { return std::string(story.param.name); });

}  // namespace
}  // namespace vireo::tests
