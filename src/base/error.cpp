// The texts that stand before an error's detail. They are part of what scripts match on, so each reads as a libvirt
// client knows it; checked against a real libvirtd by tests/scenario.
#include "base/error.hpp"

#include <cstring>
#include <string_view>

namespace vireo {

const char* error_template(int code) {
  switch (code) {
    case VIR_ERR_INTERNAL_ERROR:
      return "internal error: %s";
    case VIR_ERR_NO_MEMORY:
      return "out of memory: %s";
    case VIR_ERR_NO_SUPPORT:
      return "this function is not supported by the connection driver: %s";
    case VIR_ERR_NO_CONNECT:
      return "no connection driver available for %s";
    case VIR_ERR_INVALID_CONN:
      return "invalid connection pointer in %s";
    case VIR_ERR_INVALID_DOMAIN:
      return "invalid domain pointer in %s";
    case VIR_ERR_INVALID_ARG:
      return "invalid argument: %s";
    case VIR_ERR_OPERATION_FAILED:
      return "operation failed: %s";
    case VIR_ERR_XML_ERROR:
      return "XML error: %s";
    case VIR_ERR_XML_INVALID_SCHEMA:
      return "XML document failed to validate against schema: %s";
    case VIR_ERR_XML_DETAIL:
      return "%s";
    case VIR_ERR_NO_NAME:
      return "missing name information in %s";
    case VIR_ERR_NO_SOURCE:
      return "missing source information for device %s";
    case VIR_ERR_NO_TARGET:
      return "missing target information for device %s";
    case VIR_ERR_OVERFLOW:
      return "numerical overflow: %s";
    case VIR_ERR_OS_TYPE:
      return "unknown OS type %s";
    case VIR_ERR_RPC:
      return "%s";
    case VIR_ERR_OPERATION_DENIED:
      return "operation forbidden: %s";
    case VIR_ERR_OPEN_FAILED:
      return "failed to open file: %s";
    case VIR_ERR_READ_FAILED:
      return "failed to read file: %s";
    case VIR_ERR_SYSTEM_ERROR:
      return "%s";
    case VIR_ERR_NO_DOMAIN:
      return "Domain not found: %s";
    case VIR_ERR_DOM_EXIST:
      return "domain %s exists already";
    case VIR_ERR_OPERATION_INVALID:
      return "Requested operation is not valid: %s";
    case VIR_ERR_OPERATION_TIMEOUT:
      return "Timed out during operation: %s";
    case VIR_ERR_OPERATION_ABORTED:
      return "operation aborted: %s";
    case VIR_ERR_OPERATION_UNSUPPORTED:
      return "Operation not supported: %s";
    case VIR_ERR_CONFIG_UNSUPPORTED:
      return "unsupported configuration: %s";
    case VIR_ERR_ARGUMENT_UNSUPPORTED:
      return "argument unsupported: %s";
    case VIR_ERR_NO_DOMAIN_METADATA:
      return "metadata not found: %s";
    case VIR_ERR_AUTH_FAILED:
      return "authentication failed: %s";
    case VIR_ERR_ACCESS_DENIED:
      return "access denied: %s";
    case VIR_ERR_RESOURCE_BUSY:
      return "resource busy: %s";
    case VIR_ERR_NO_DEVICE:
      return "device not found: %s";
    case VIR_ERR_DEVICE_MISSING:
      return "device not found: %s";
    case VIR_ERR_INVALID_STREAM:
      return "invalid stream pointer: %s";
    case VIR_ERR_AGENT_UNRESPONSIVE:
      return "Guest agent is not responding: %s";
    case VIR_ERR_CONF_SYNTAX:
      return "configuration file syntax error: %s";
    default:
      return "internal error: %s";
  }
}

std::string Error::message() const {
  std::string text = error_template(code);
  const auto at = text.find("%s");
  if (at == std::string::npos) return text;
  if (!detail.empty()) return text.replace(at, 2, detail);
  // Without a detail the sentence ends before what leads to it: "missing name information".
  for (const std::string_view lead : {": ", " in ", " for device ", " for ", " "})
    if (text.substr(0, at).ends_with(lead)) return text.substr(0, at - lead.size());
  return text.substr(0, at);
}

std::unexpected<Error> fail_errno(int errnum, std::string what) {
  return fail(VIR_ERR_SYSTEM_ERROR, std::move(what) + ": " + std::strerror(errnum));
}

}  // namespace vireo
