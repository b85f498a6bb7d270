// SELinux: each guest's QEMU runs in the policy's context for virtual machines with a pair of categories that no other
// running guest has, and its writable files carry the same pair. Which contexts those are, the policy says in files.
#pragma once

#include "security/driver.hpp"
#include "security/labelled_file.hpp"
#include "security/mcs.hpp"

namespace vireo::security {

// "user:role:type:level"; what the policy's files virtual_domain_context and virtual_image_context say.
struct SelinuxContexts {
  std::string process;           // of guests under KVM
  std::string emulated_process;  // of others, which need to write to executable memory
  std::string image;             // of files that one guest writes to, or several share
  std::string content;           // of files that guests only read

  // Error: VIR_ERR_CONF_SYNTAX naming the file that is missing or is none.
  static Result<SelinuxContexts> parse(const std::string& domain_context, const std::string& image_context);
  static Result<SelinuxContexts> of_this_host();
};

// The context with another level: ("system_u:object_r:svirt_image_t:s0", "s0:c1,c2"). Pure.
std::string with_level(const std::string& context, const std::string& level);

class SelinuxDriver final : public Driver {
 public:
  SelinuxDriver(SelinuxContexts contexts, McsTable::Dice dice, std::string boot_id, bool enforcing,
                LabelAttributes attributes = {})
      : contexts_(std::move(contexts)),
        categories_(std::move(dice)),
        boot_id_(std::move(boot_id)),
        enforcing_(enforcing),
        attributes_(std::move(attributes)) {}

  ports::SecurityModel about() const override { return {.name = "selinux", .enforcing = enforcing_}; }
  Result<ports::LabelClaim> choose(const model::DomainDef& live, model::SecLabel& label) override;
  ports::LabelClaim inherit(const model::DomainDef& live, const model::SecLabel& label) override;
  Result<void> apply(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const override;
  void take_back(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const override;
  // Says of a running guest's file that it has another label than it was given; what the policy makes of labels it does
  // not know.
  void explain(const std::vector<GuestFile>& files, const model::SecLabel& label, bool runs,
               std::vector<model::FileAccess>& answers) const override;

 private:
  // What the file is to be labelled; empty: as it is.
  std::string label_for(const GuestFile& file, const model::SecLabel& label) const;

  const SelinuxContexts contexts_;
  McsTable categories_;  // core thread
  const std::string boot_id_;
  const bool enforcing_;
  const LabelAttributes attributes_;
};

}  // namespace vireo::security
