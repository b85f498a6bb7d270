// How an Error travels: the protocol's error structure as libvirt's clients know it. Pure.
#pragma once

#include "base/error.hpp"
#include "doors/libvirt/frame.hpp"

namespace vireo::doors::libvirt {

// The payload of an error reply or of a stream's error packet.
Bytes encode_error(const Error& error);

}  // namespace vireo::doors::libvirt
