// Vireo's own element below <metadata>, in which a definition says what libvirt has no words for:
//
//   <vireo:guest xmlns:vireo='urn:vireo:guest:1'>
//     <vireo:autostart order='10' delay_s='5'/>       how it starts with the host
//     <vireo:up console='login:'/>                    what its console prints once it is up
//   </vireo:guest>
//
// Unlike other applications' elements it is understood, so what is wrong in it is refused. Pure.
#pragma once

#include "base/error.hpp"
#include "model/definition.hpp"

namespace vireo::xml {

inline constexpr std::string_view guest_namespace = "urn:vireo:guest:1";

// Sets autostart_plan and up_console to what the definition's metadata say, or to their defaults. Error:
// VIR_ERR_XML_ERROR naming what is wrong and what is allowed there.
Result<void> take_guest_element(model::DomainDef& definition);

}  // namespace vireo::xml
