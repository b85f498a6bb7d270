// The numbers as text.
#include "doors/http/handlers/handlers.hpp"
#include "doors/http/metrics/render.hpp"

namespace vireo::doors::http {

Response show_metrics(const Services& services, const Request& request) {
  const auto format = wanted_format(request.accept);
  return {.text_type = content_type(format), .text = render_metrics(services, format)};
}

Response show_way(const Services&, const Request&) {
  return {.text_type = "text/plain; charset=utf-8", .text = "vireod's metrics are at /metrics\n"};
}

}  // namespace vireo::doors::http
