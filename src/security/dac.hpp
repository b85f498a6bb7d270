// Owners of files: while a guest runs, its images belong to the user that its QEMU runs as; afterwards to whom they
// belonged before. Who that was, and which guests use the file, stands in an extended attribute of the file itself, so
// it survives the daemon, and guests that share an image give it back only with the last of them. Locks nothing but the
// file that it works on. A guest's user is the configured one, or that of its own <seclabel model='dac'>.
#pragma once

#include "base/credentials.hpp"
#include "security/driver.hpp"

namespace vireo::security {

class DacDriver final : public Driver {
 public:
  // `user`: of guests that name no other. `boot_id`: no guest outlives the host's boot, so what is remembered of
  // another one is nobody's any more.
  DacDriver(Credentials user, std::string boot_id) : user_(std::move(user)), boot_id_(std::move(boot_id)) {}

  ports::SecurityModel about() const override;
  Result<ports::LabelClaim> choose(const model::DomainDef& live, model::SecLabel& label) override;
  Result<void> apply(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const override;
  void take_back(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const override;
  void explain(const std::vector<GuestFile>& files, const model::SecLabel& label, bool runs,
               std::vector<model::FileAccess>& answers) const override;

 private:
  std::string default_label() const;
  // The guest's user. Error: VIR_ERR_INVALID_ARG.
  Result<Credentials> user_of(const model::SecLabel& label) const;

  const Credentials user_;
  const std::string boot_id_;
};

}  // namespace vireo::security
