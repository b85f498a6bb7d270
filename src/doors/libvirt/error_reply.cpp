// What libvirt's daemon puts where was read off recordings: the code's text and the detail apart as the first two
// strings, -1 as both numbers, no objects.
#include "doors/libvirt/error_reply.hpp"

#include "doors/libvirt/protocol/structs.hpp"
#include "doors/libvirt/xdr.hpp"

namespace vireo::doors::libvirt {

Bytes encode_error(const Error& error) {
  wire::remote_error out;
  out.code = error.code;
  out.domain = error.domain;
  out.message = error.message();
  out.level = error.level;
  out.str1 = error_template(error.code);
  out.str2 = error.detail;
  out.int1 = out.int2 = -1;
  if (auto bytes = xdr::encode(out)) return std::move(*bytes);
  // A text beyond the protocol's limit of 4 MiB: the start of it says enough.
  out.message->resize(4096);
  out.str2->resize(4096);
  return xdr::encode(out).value();
}

}  // namespace vireo::doors::libvirt
