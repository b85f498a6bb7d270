// One managed set of guests: what the verbs work on. A daemon has one for QEMU and one for the simulation; they share
// nothing but the core thread. Everything here belongs to the core thread, except registry.versions(), boots.history()
// and what says so itself, which any thread reads.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "base/histogram.hpp"
#include "base/workers.hpp"
#include "core/admission.hpp"
#include "core/boot_log.hpp"
#include "core/claims.hpp"
#include "core/event_hub.hpp"
#include "core/id_source.hpp"
#include "core/pace.hpp"
#include "core/registry.hpp"
#include "core/stats/sampler.hpp"
#include "core/stats/sizes_at_rest.hpp"
#include "ports/definition_store.hpp"
#include "ports/host_facts.hpp"
#include "ports/hypervisor.hpp"
#include "ports/labeler.hpp"
#include "ports/meter.hpp"

namespace vireo::core {

struct Settings {
  std::string runtime_dir;  // one folder per running guest is made below it
  std::string log_dir;      // one file per guest
  // Until when a verb waits for its turn, a launch for its guest, a command for the monitor's answer, an end for the
  // process.
  std::chrono::milliseconds lane_timeout{30'000};
  std::chrono::milliseconds launch_timeout{60'000};
  std::chrono::milliseconds monitor_timeout{30'000};
  std::chrono::milliseconds end_timeout{30'000};
  int vnc_first_port = 5900, vnc_last_port = 65535;
  int spice_first_port = 5900, spice_last_port = 65535;
  // Guests that may be launched at one moment; 0: as the host bears.
  unsigned parallel_starts = 4;
  // Guests of one order that are started at one moment with the host; 0: as admission allows.
  unsigned autostart_parallel = 0;
  // How long a call for statistics waits for guests that do not answer; how often every guest is sampled; whether
  // somebody wants what was, so that it is sampled even when nobody asks.
  std::chrono::milliseconds stats_deadline{500};
  std::chrono::milliseconds sample_period{5'000};
  bool keep_history = false;
};

// Who measures guests, and the workers that do it: they read from the kernel alone, which always answers.
struct Measuring {
  const ports::Meters& meters;
  Workers& workers;
};

class Host {
  // After this time a launch does not count as one any more (see Admission).
  static constexpr std::chrono::milliseconds launch_patience{1000};

 public:
  Host(asio::any_io_executor core_executor, ports::Hypervisor& the_hypervisor, ports::DefinitionStore& the_store,
       const ports::HostFacts& the_facts, ports::Labeler& the_labeler, Workers& file_workers,
       Workers& the_image_workers, Measuring measuring, Settings the_settings)
      : core(core_executor),
        hypervisor(the_hypervisor),
        store(the_store),
        facts(the_facts),
        labeler(the_labeler),
        files(file_workers),
        image_workers(the_image_workers),
        meters(measuring.meters),
        meter_workers(measuring.workers),
        settings(std::move(the_settings)),
        registry(core_executor),
        ids(core_executor, the_store),
        admission(core_executor,
                  settings.parallel_starts > 0 ? settings.parallel_starts : most_launches(facts.node().cpus),
                  launch_patience) {
    sampler.set_period(settings.sample_period);
  }

  // Takes new settings up.
  void set(Settings next) {
    settings = std::move(next);
    if (settings.parallel_starts > 0) admission.set_limit(settings.parallel_starts);
    sampler.set_period(settings.sample_period);
    if (!settings.keep_history)
      for (const auto& domain : registry.all()) domain->history = nullptr;
  }

  // At the very end, when nothing runs any more: lets go of all running guests, which live on.
  void let_go() {
    for (const auto& domain : registry.all())
      if (auto run = std::exchange(domain->run, nullptr)) run->guest.reset();
  }

  const asio::any_io_executor core;
  ports::Hypervisor& hypervisor;
  ports::DefinitionStore& store;
  const ports::HostFacts& facts;
  ports::Labeler& labeler;
  Workers& files;          // for the daemon's own folders, which always answer
  Workers& image_workers;  // for disk images, which may lie on a file system that hangs
  const ports::Meters& meters;
  Workers& meter_workers;
  Settings settings;  // replaced as a whole by set(); a call takes what it needs of it without a suspension between
  Registry registry;
  EventHub events;
  IdSource ids;
  unsigned cleaning_up = 0;  // lives that have ended and are not cleared away yet
  Admission admission;
  bool keeps_pace = false;  // keep_pace() is running
  BootLog boots;
  Sampler sampler{*this};
  Histogram round_trips;  // of all guests' monitors, as the sampler and its like ask them; read by any thread
  SizesAtRest sizes_at_rest{*this};
  Claims<int> tcp_ports;  // VNC's and SPICE's
  Claims<ports::ImageIdentity> images;
};

}  // namespace vireo::core
