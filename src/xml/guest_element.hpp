// Vireo's own element below <metadata>, in which a definition says what libvirt has no words for:
//
//   <vireo:guest xmlns:vireo='urn:vireo:guest:1'><vireo:autostart order='10' delay_s='5'/></vireo:guest>
//
// Unlike other applications' elements it is understood, so what is wrong in it is refused. Pure.
#pragma once

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

inline constexpr std::string_view guest_namespace = "urn:vireo:guest:1";

// What the element says; the defaults where there is none. Error: VIR_ERR_XML_ERROR naming what is wrong and what is
// allowed there.
Result<model::AutostartPlan> read_guest_element(const std::vector<model::MetadataElement>& metadata);

}  // namespace vireo::xml
