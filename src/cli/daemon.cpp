// One question to vireod, and its refusals as sentences.
#include "cli/daemon.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "cli/http_client.hpp"

namespace vireo::cli {
namespace {

// Longer than any single thing that vireod does before it answers over HTTP.
constexpr std::chrono::seconds patience{60};

}  // namespace

std::string Where::socket_path() const {
  if (!socket.empty()) return socket;
  return (root.empty() ? "/run/vireo" : root + "/run") + "/http-sock";
}

std::string Where::tree_socket_path() const {
  const auto http = socket_path();
  return http.substr(0, http.rfind('/') + 1) + "xenstore-sock";
}

std::string Where::start_command() const {
  if (!socket.empty()) return "vireod, or name its socket with --socket";
  return root.empty() ? "vireod" : "vireod --root " + root;
}

Result<json::object> ask_daemon(const Where& where, const std::string& method, const std::string& target,
                                const std::string& content) {
  auto reply = ask(where.socket_path(), method, target, content, content.empty() ? patience : std::chrono::seconds(0));
  if (!reply && reply.error().code == VIR_ERR_NO_CONNECT) {
    const auto& why = reply.error().detail;
    if (why == std::strerror(EACCES))
      return fail(VIR_ERR_SYSTEM_ERROR, "no permission to use vireod's socket " + where.socket_path() +
                                            "; run as root, or as a member of its libvirt_socket_group");
    return fail(VIR_ERR_SYSTEM_ERROR, "vireod does not run: nobody listens at " + where.socket_path() + " (" + why +
                                          "); start it with " + where.start_command());
  }
  if (!reply) return pass_on(reply);
  boost::system::error_code error;
  auto body = json::parse(reply->body, error);
  if (error || !body.is_object())
    return fail(VIR_ERR_SYSTEM_ERROR, "the answer is not vireod's: " + where.socket_path() + " is another's socket");
  auto& object = body.get_object();
  if (reply->status < 300) return std::move(object);
  const auto* refusal = object.if_contains("error");
  const auto* message = refusal && refusal->is_object() ? refusal->get_object().if_contains("message") : nullptr;
  return fail(VIR_ERR_SYSTEM_ERROR, message && message->is_string() ? std::string(message->get_string())
                                                                    : fmt::format("HTTP status {}", reply->status));
}

std::string text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return std::string(value->get_string());
  return json::serialize(*value);
}

}  // namespace vireo::cli
