// A guest as the core holds it: the mutable half of what readers see as a DomainView. Core thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.hpp"
#include "base/wake.hpp"
#include "core/boot_log.hpp"
#include "core/claims.hpp"
#include "core/lane.hpp"
#include "model/domain_view.hpp"
#include "ports/definition_store.hpp"
#include "ports/hypervisor.hpp"
#include "ports/labeler.hpp"

namespace vireo::core {

class Asker;
class GuestHistory;

// One life of a guest's process, from its launch until it has ended. The monitor's events go to the Run that they were
// made for, so a late event of an earlier life cannot touch a later one.
struct Run {
  int id = -1;
  std::unique_ptr<ports::Guest> guest;
  model::DomainDefPtr live;
  std::optional<ports::ProcessIdentity> recorded;  // of a life that an earlier daemon began
  ports::RunRecord record;  // as it was last written; its state may be older than what is published
  // What nobody else may use while this life lasts.
  std::vector<Claims<int>::Claim> ports;
  std::vector<Claims<ports::ImageIdentity>::Claim> images;
  ports::LabelClaim labels;

  // Until the guest is published as running, its events only leave their mark here.
  bool up = false;
  bool exited = false;
  bool resumed = false;

  // Why the process is about to end, once somebody has decided that it shall; an exit without it is the guest's own.
  struct Ending {
    int reason;        // virDomainShutoffReason
    int event_detail;  // virDomainEventStoppedDetailType
  };
  std::optional<Ending> ending;

  // The reasons to report when the monitor tells that vCPUs stopped or run: set by the verb that asked for it.
  std::optional<int> pause_reason, run_reason;
  // The next power-off of the guest is the first half of a reboot.
  bool reboot_on_poweroff = false;
  // The guest has powered off: that its vCPUs stop is no news.
  bool powered_off = false;

  Boot boot;                     // what is known of its start
  std::shared_ptr<Asker> asker;  // of its figures; null: its monitor has not been reached yet
  // Who waits for the process to be gone.
  std::vector<std::shared_ptr<Wake>> waiting_for_end;
};

// A launch under way. Whoever holds it may give the launch up: it then fails and takes everything back.
struct Launching {
  bool given_up = false;
  bool caller_gone = false;          // its client went before it was admitted
  bool admitted = false;             // from here on it runs to its end, with or without its client
  asio::cancellation_signal cancel;  // of what the launch waits for: images, admission, its hypervisor
  bool cancellable = false;          // only now may the signal be given

  void give_up() {
    given_up = true;
    interrupt();
  }
  void interrupt() {
    if (cancellable) cancel.emit(asio::cancellation_type::terminal);
  }
};

struct Domain {
  Domain(const asio::any_io_executor& core, Uuid u, std::string n)
      : uuid(u), name(std::move(n)), lane(core, "guest", pulse) {}

  const Uuid uuid;
  std::string name;  // changed by Registry::rename alone
  const std::shared_ptr<model::Pulse> pulse = std::make_shared<model::Pulse>();
  Lane lane;
  model::DomainViewPtr view;              // as last published; null: claimed and not yet there, or already gone
  std::shared_ptr<Run> run;               // null: no process
  std::shared_ptr<Launching> launching;   // null: none is under way
  unsigned claims = 0;                    // verbs that hold this name and UUID
  std::shared_ptr<GuestHistory> history;  // how it fared, over all its lives; null: not kept, or never sampled yet
};

using DomainPtr = std::shared_ptr<Domain>;

}  // namespace vireo::core
