// Expected failure is a value. An Error is born with the libvirt error code and domain that a client will see and
// with a sentence that names the thing and, where there is one, the remedy. Codes and domains are libvirt's public
// VIR_ERR_* and VIR_FROM_* constants (libvirt/virterror.h). May be used everywhere; touches nothing.
#pragma once

#include <libvirt/virterror.h>

#include <expected>
#include <string>
#include <utility>

namespace vireo {

struct Error {
  int code = VIR_ERR_INTERNAL_ERROR;
  // What went wrong, without the code's own text: "no domain with matching name 'web'".
  std::string detail;
  // Which part reports it. VIR_FROM_NONE lets the door fill in the driver that answered (qemu or test).
  int domain = VIR_FROM_NONE;
  int level = VIR_ERR_ERROR;

  // The whole sentence a client shows: the code's text, then the detail: "Domain not found: no domain with …".
  std::string message() const;
};

template <class T>
using Result = std::expected<T, Error>;

// The text libvirt's clients know for a code, with "%s" where the detail goes; for example
// "Requested operation is not valid: %s". Unknown codes read as an internal error.
const char* error_template(int code);

inline std::unexpected<Error> fail(int code, std::string detail) {
  return std::unexpected(Error{.code = code, .detail = std::move(detail)});
}

// The same, reported by a named part (VIR_FROM_XML, VIR_FROM_RPC …).
inline std::unexpected<Error> fail_from(int domain, int code, std::string detail) {
  return std::unexpected(Error{.code = code, .detail = std::move(detail), .domain = domain});
}

// "cannot open '/x': No such file or directory": an errno as a VIR_ERR_SYSTEM_ERROR naming what was tried.
std::unexpected<Error> fail_errno(int errnum, std::string what);

// Hands a failure of one Result type on as another's.
template <class T>
std::unexpected<Error> pass_on(Result<T>& r) {
  return std::unexpected(std::move(r.error()));
}

}  // namespace vireo
