// Beginning and ending transactions.
#include <cerrno>

#include "doors/xenstore/arguments.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {

int transaction_start(Client& client, const Request& request) {
  return request.in ? EBUSY : client.begin_transaction(request);  // none begins within another
}

int transaction_end(Client& client, const Request& request) {
  const auto text = only_string(request.payload);
  if (!text || (*text != "T" && *text != "F")) return EINVAL;  // it stays open
  return client.end_transaction(request, *text == "T");
}

}  // namespace vireo::doors::xenstore
