// The seam between the core and what gives a guest access to its files, and a process its place: owners and security
// labels. Called on the core thread, answers there; an implementation works on workers. Files are those that the
// definition names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "model/definition.hpp"
#include "model/file_access.hpp"

namespace vireo::ports {

// A security model in force, as clients are told of it.
struct SecurityModel {
  std::string name;            // "dac"
  std::string doi = "0";       // the domain of interpretation of its labels
  std::string baselabel = {};  // of a guest that says nothing; empty: made for each guest
  bool enforcing = false;      // the kernel refuses what the label does not allow, whoever the process is
};

// What a guest's labels need for themselves (categories that no other guest may have); destroying it gives them back.
using LabelClaim = std::shared_ptr<void>;

class Labeler {
 public:
  virtual ~Labeler() = default;

  // The models in force, the first of them what a <seclabel> without a model means. Never changes; any thread.
  virtual std::vector<SecurityModel> models() const { return {}; }

  // Core thread, never waits: decides the guest's labels and writes them into `live.seclabels`, one for each model in
  // force, with what its process and its files are to be labelled. Error: VIR_ERR_CONFIG_UNSUPPORTED naming the
  // <seclabel> that cannot be honoured and the remedy.
  virtual Result<LabelClaim> choose(model::DomainDef& /*live*/) { return LabelClaim{}; }

  // The claim of a guest that an earlier daemon has started: it has its labels, whoever else has them.
  virtual LabelClaim inherit(const model::DomainDef& /*live*/) { return {}; }

  // Makes the guest's files accessible to its process, as chosen. When it fails nothing has changed. Errors:
  // VIR_ERR_SYSTEM_ERROR naming the file and the reason. Never waits longer than the deadline
  // (VIR_ERR_OPERATION_TIMEOUT), and ends at once when it is cancelled.
  virtual asio::awaitable<Result<void>> label(model::DomainDefPtr live, Deadline deadline) = 0;

  // Takes label() back, after the process has ended; also for a guest that an earlier daemon labelled. What cannot be
  // taken back is logged. Doing it twice does no harm.
  virtual asio::awaitable<void> restore(model::DomainDefPtr live, Deadline deadline) = 0;

  // For each file of the guest: whether its process can open it, or could if the guest was started now. `runs`: it does
  // already. Errors: as label().
  virtual asio::awaitable<Result<std::vector<model::FileAccess>>> explain(model::DomainDefPtr /*guest*/, bool /*runs*/,
                                                                          Deadline /*deadline*/) {
    co_return fail(VIR_ERR_NO_SUPPORT, "these guests have no process of their own that would open files");
  }
};

// Changes nothing: guests run as whoever can reach their files anyway.
class NoLabeler final : public Labeler {
 public:
  asio::awaitable<Result<void>> label(model::DomainDefPtr, Deadline) override { co_return Result<void>{}; }
  asio::awaitable<void> restore(model::DomainDefPtr, Deadline) override { co_return; }
};

}  // namespace vireo::ports
