// AppArmor: each guest's QEMU is confined by a profile of its own, which is made from the guest's definition, compiled
// and loaded by apparmor_parser when it starts and removed when it has ended. A <seclabel type='static'> names a
// profile that the host has loaded already; such a one is neither changed nor removed.
#pragma once

#include "security/driver.hpp"

namespace vireo::security {

struct AppArmorPlaces {
  std::string profile_dir;  // where the profiles of running guests lie as text
  std::string runtime_dir;  // below it, each guest's folder is named by its id
  std::string log_dir;      // one NAME.log per guest
};

class AppArmorDriver final : public Driver {
 public:
  explicit AppArmorDriver(AppArmorPlaces places) : places_(std::move(places)) {}

  ports::SecurityModel about() const override { return {.name = "apparmor", .enforcing = true}; }
  Result<ports::LabelClaim> choose(const model::DomainDef& live, model::SecLabel& label) override;
  Result<void> apply(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const override;
  void take_back(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const override;
  void explain(const std::vector<GuestFile>& files, const model::SecLabel& label, bool runs,
               std::vector<model::FileAccess>& answers) const override;

  // The profile's text, for the files as they lie now. Blocks. Error: as apparmor_profile().
  Result<std::string> profile_for(const model::DomainDef& live, const std::string& name) const;

 private:
  std::string file_of(const std::string& profile) const { return places_.profile_dir + "/" + profile; }

  const AppArmorPlaces places_;
};

}  // namespace vireo::security
