// One security model: what it makes of a guest's <seclabel>, and what it does to the guest's files. The stack
// (security/stack.hpp) holds several of them in their order. An implementation keeps nothing of a guest but what
// choose() claims: all that it needs stands in the guest's live definition, which outlives the daemon.
#pragma once

#include "ports/labeler.hpp"
#include "security/guest_files.hpp"

namespace vireo::security {

class Driver {
 public:
  virtual ~Driver() = default;

  virtual ports::SecurityModel about() const = 0;

  // Core thread, never waits: completes `label`, which is one of `live` or a new one of this model, of any type but
  // "none". Error: VIR_ERR_CONFIG_UNSUPPORTED naming what cannot be honoured.
  virtual Result<ports::LabelClaim> choose(const model::DomainDef& live, model::SecLabel& label) = 0;
  virtual ports::LabelClaim inherit(const model::DomainDef& /*live*/, const model::SecLabel& /*label*/) { return {}; }

  // Worker. Labels files and makes ready what the process will be confined by. When it fails nothing has changed.
  // `label`: of this model, as chosen; never of type "none".
  virtual Result<void> apply(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const = 0;
  // Worker. Takes that back; doing it twice does no harm. What fails is logged.
  virtual void take_back(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const = 0;

  // Worker. Adds what this model forbids to the answers, of which there is one for each of the files.
  virtual void explain(const std::vector<GuestFile>& /*files*/, const model::SecLabel& /*label*/, bool /*runs*/,
                       std::vector<model::FileAccess>& /*answers*/) const {}
};

}  // namespace vireo::security
