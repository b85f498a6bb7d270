// One call of a client as the core sees it: which verb it is, with which arguments, and what its answer means in the
// terms of a history.
#pragma once

#include "core/verbs/start_many.hpp"
#include "tests/histories/history.hpp"

namespace vireo::tests {

struct Reply {
  std::optional<Error> error;
  int id = no_id;  // Create, Start: of the life that began
};

// Runs the verb that `call` describes.
asio::awaitable<Reply> perform(core::Host& host, Kind kind, int guest, int name);

// A batch: of guests by number, or, where there are none, of all that are shut off.
struct BatchCall {
  std::vector<int> guests;
  core::BatchOptions options;
};
asio::awaitable<Result<std::vector<core::BatchResult>>> perform_batch(core::Host& host, BatchCall batch);

// How a reply reads in a history.
Answer answer_of(Kind kind, const Reply& reply);

}  // namespace vireo::tests
