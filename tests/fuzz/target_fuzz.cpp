// The target of an HTTP request with anything in it: refused with a sentence, or split into parts that give the same
// parts again when they are escaped; and every route either matches or refuses.
#include "doors/http/routes.hpp"
#include "doors/http/target.hpp"
#include "tests/fuzz/expect.hpp"

using namespace vireo;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto path = doors::http::parse_target(fuzz::text_of(data, size));
  if (!path) {
    fuzz::expect(!path.error().detail.empty(), "a refusal says why");
    return 0;
  }
  std::string again;
  for (const auto& part : *path) {
    again += '/';
    for (const char c : part) again += fmt::format("%{:02x}", static_cast<unsigned char>(c));
  }
  const auto second = doors::http::parse_target(again);
  fuzz::expect(second && *second == *path, "escaped parts are the same parts");
  for (const char* method : {"GET", "POST", "PUT"}) {
    doors::http::Request request{.method = method, .path = *path};
    const auto route = doors::http::find_route(doors::http::routes(), request);
    fuzz::expect(route || route.error().status == 404 || route.error().status == 405, "a route or a fitting refusal");
  }
  return 0;
}
