// The search for an order of the calls in which every answer fits.
#include "tests/histories/linearize.hpp"

#include <algorithm>
#include <stdexcept>
#include <unordered_set>

#include "tests/histories/sequential.hpp"

namespace vireo::tests {
namespace {

struct Visited {
  std::uint64_t done = 0;
  HostState state;
  bool operator==(const Visited&) const = default;
};

struct HashVisited {
  std::size_t operator()(const Visited& v) const {
    std::uint64_t hash = v.done;
    for (const auto& guest : v.state) {
      const auto packed = static_cast<std::uint64_t>(static_cast<std::uint32_t>(guest.id)) << 8U |
                          static_cast<std::uint64_t>(guest.name + 1) << 1U | (guest.persistent ? 1U : 0U);
      hash = (hash ^ packed) * 0x9E3779B97F4A7C15ULL;
      hash ^= hash >> 29U;
    }
    return hash;
  }
};

class Search {
 public:
  explicit Search(const History& history) : calls_(history) {
    excuses_.reserve(calls_.size());
    for (const auto& call : calls_) excuses_.push_back(excuse_of(call, calls_));
    all_ = calls_.size() == 64 ? ~0ULL : (1ULL << calls_.size()) - 1;
  }

  bool from(std::uint64_t done, const HostState& state) {
    if (done == all_) return true;
    if (!visited_.insert({done, state}).second) return false;
    // What has ended first must come before whatever began after that.
    std::uint64_t first_end = ~0ULL;
    for (std::size_t i = 0; i < calls_.size(); ++i)
      if (!(done >> i & 1U)) first_end = std::min(first_end, calls_[i].ended);
    for (std::size_t i = 0; i < calls_.size(); ++i) {
      const Call& call = calls_[i];
      if ((done >> i & 1U) || call.began > first_end) continue;
      const std::uint64_t with = done | 1ULL << i;
      if (const auto next = after(state, call, excuses_[i]); next && from(with, *next)) return true;
      if (call.answer == Answer::Unknown && from(with, state)) return true;  // it never happened
    }
    return false;
  }

 private:
  const History& calls_;
  std::vector<Excuse> excuses_;
  std::uint64_t all_ = 0;
  std::unordered_set<Visited, HashVisited> visited_;
};

}  // namespace

bool linearizable(const History& history) {
  if (history.size() > 64) throw std::invalid_argument("a history of more than 64 calls");
  return Search(history).from(0, {});
}

}  // namespace vireo::tests
