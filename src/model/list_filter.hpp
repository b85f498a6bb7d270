// Which guests a listing wants: virConnectListAllDomainsFlags (libvirt-domain.h). Flags come in groups; a guest must
// match one flag of every group of which the caller set any. Pure.
#pragma once

#include <vector>

#include "model/domain_view.hpp"

namespace vireo::model {

bool matches(const DomainView& domain, unsigned list_flags);

// All matching guests of one version, in no particular order (as libvirt).
std::vector<DomainViewPtr> select(const HostVersion& version, unsigned list_flags);

}  // namespace vireo::model
