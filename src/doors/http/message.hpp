// What passes between the connection and the handlers: a request whose path is already decoded and matched, and a
// response whose body is JSON, or another text. Plain values.
#pragma once

#include <boost/json/object.hpp>

#include "base/error.hpp"

namespace vireo::doors::http {

namespace json = boost::json;

struct Request {
  std::string method;
  std::vector<std::string> path;       // decoded, without the empty one before the first slash
  std::vector<std::string> arguments;  // what the pattern's {…} stand for, in order
  std::string accept;                  // the header of that name
  std::string body;                    // as it came, at most Limits::body_bytes
};

struct Response {
  int status = 200;
  json::object body;
  std::string allow = {};  // of a 405: the methods that there are
  // In place of the JSON, if there is a type.
  std::string_view text_type = {};  // static
  std::string text = {};
};

// {"error": {"code": "no_such_path", "message": …}}: what the door itself finds wrong.
Response refusal(int status, std::string_view code, std::string_view message);

// The same for what the core says: the status that fits, libvirt's number or a name for the usual ones, and the whole
// sentence.
Response refusal(const Error& error);

}  // namespace vireo::doors::http
