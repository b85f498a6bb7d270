// Guests' control groups on this host, version 1, 2 or both side by side: whatever is mounted and can be written.
// A guest's groups are MOUNT/PARENT/NAME, one below each mounted hierarchy that holds something of use. The files of
// version 1 and 2 that a limit is written to are in cgroups.cpp and nowhere else. Limits of single
// vCPUs are kept in groups below, MOUNT/PARENT/NAME/vcpuN, of threads.
#pragma once

#include "ports/guest_cgroups.hpp"

namespace vireo::host {

struct CgroupMount {
  std::string folder;
  bool unified = false;                  // version 2
  std::vector<std::string> controllers;  // version 1 only: version 2 says them in a file

  bool operator==(const CgroupMount&) const = default;
};

// The hierarchies that guests should be in, from the text of /proc/self/mounts.
std::vector<CgroupMount> cgroup_mounts_in(const std::string& mounts_text);

// The same without a version 2 that has nothing for guests beside a version 1 that has: joining it would only cost
// time.
std::vector<CgroupMount> without_empty_ones(std::vector<CgroupMount> mounts);

class HostCgroups : public ports::GuestCgroups {
 public:
  // `parent`: one folder name, this daemon's own among all daemons of the host.
  HostCgroups(std::vector<CgroupMount> mounts, std::string parent)
      : mounts_(std::move(mounts)), parent_(std::move(parent)) {}

  Result<ports::CgroupPlace> make(const std::string& guest, const model::DomainDef& definition) override;
  Result<void> limit_vcpus(const std::string& guest, const std::vector<pid_t>& threads,
                           const model::CpuTune& tune) override;
  Result<void> remove(const std::string& guest) override;

  // Removes the groups of this daemon's guests that hold no process any more: what an earlier daemon left.
  void sweep();

 private:
  std::string parent_in(const CgroupMount& mount) const { return mount.folder + "/" + parent_; }
  Result<void> make_in(const CgroupMount& mount, const std::string& guest) const;

  const std::vector<CgroupMount> mounts_;
  const std::string parent_;
};

}  // namespace vireo::host
