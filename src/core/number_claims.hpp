// Claims on numbers of which each belongs to one guest at a time: VNC ports. A claim is a value; destroying it gives
// the number back. Core thread only; the table must outlive its claims' use, which it does by sharing.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <utility>

namespace vireo::core {

class NumberClaim {
 public:
  NumberClaim() = default;
  NumberClaim(NumberClaim&& other) noexcept = default;
  NumberClaim& operator=(NumberClaim&& other) noexcept {
    if (this != &other) {
      give_back();
      taken_ = std::move(other.taken_);
      number_ = other.number_;
    }
    return *this;
  }
  ~NumberClaim() { give_back(); }

  int number() const { return number_; }

 private:
  friend class NumberClaims;
  NumberClaim(std::shared_ptr<std::set<int>> taken, int number) : taken_(std::move(taken)), number_(number) {}
  void give_back() {
    if (auto taken = std::exchange(taken_, nullptr)) taken->erase(number_);
  }
  std::shared_ptr<std::set<int>> taken_;
  int number_ = 0;
};

class NumberClaims {
 public:
  // Nothing if somebody has it.
  std::optional<NumberClaim> claim(int number) {
    if (!taken_->insert(number).second) return std::nullopt;
    return NumberClaim(taken_, number);
  }

  // The lowest number of [first, last] that nobody has and that `usable` accepts.
  template <class Usable>
  std::optional<NumberClaim> claim_any(int first, int last, Usable&& usable) {
    for (int n = first; n <= last; ++n)
      if (!taken_->contains(n) && usable(n)) return claim(n);
    return std::nullopt;
  }

 private:
  std::shared_ptr<std::set<int>> taken_ = std::make_shared<std::set<int>>();
};

}  // namespace vireo::core
