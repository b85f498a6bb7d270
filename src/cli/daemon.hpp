// Asking vireod, for all commands alike: where it listens, what its JSON says, and a sentence with a remedy when
// something is wrong.
#pragma once

#include <boost/json/value.hpp>

#include "base/error.hpp"

namespace vireo::cli {

namespace json = boost::json;

struct Where {
  std::string socket;  // a path of its own; empty: below the root
  std::string root;    // vireod's --root; empty: the system's daemon

  std::string socket_path() const;
  // Where the same daemon offers the tree: beside its HTTP socket.
  std::string tree_socket_path() const;
  // How to start the daemon that would listen there.
  std::string start_command() const;
};

// The answer, whose body was JSON. Errors: VIR_ERR_NO_CONNECT when no vireod runs, with what to do; what the daemon
// answered, in its words; VIR_ERR_SYSTEM_ERROR.
// `body`: JSON to send along; with one the answer is waited for as long as it takes.
Result<json::object> ask_daemon(const Where& where, const std::string& method, const std::string& target,
                                const std::string& body = {});

// What the daemon says under a name, as text: strings as they are, null as "-", numbers written out.
std::string text_of(const json::object& object, std::string_view name);

}  // namespace vireo::cli
