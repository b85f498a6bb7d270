// Categories of SELinux's multi-category security: each guest has a pair of its own, by which its process can reach its
// own files and no other guest's. The table hands pairs out; a pair is a claim that gives itself back. Pure; one thread
// (the core's).
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace vireo::security {

struct Categories {
  unsigned low = 0, high = 0;  // low < high, both below McsTable::kCategories

  std::string text() const;  // "c12,c900"
  auto operator<=>(const Categories&) const = default;
};

// Of a context or level: "system_u:system_r:svirt_t:s0:c12,c900" has a pair, "…:s0" has none.
std::optional<Categories> categories_in(std::string_view context);

class McsTable {
 public:
  static constexpr unsigned kCategories = 1024;
  // Both ends of the pair that is tried next, at random; for tests, anything.
  using Dice = std::function<unsigned(unsigned below)>;

  class Claim {
   public:
    Claim(Claim&& other) noexcept = default;
    Claim& operator=(Claim&&) = delete;
    ~Claim();
    const Categories& pair() const { return pair_; }

   private:
    friend class McsTable;
    using Holders = std::map<Categories, unsigned>;
    Claim(std::shared_ptr<Holders> table, Categories pair) : table_(std::move(table)), pair_(pair) {}
    std::shared_ptr<Holders> table_;
    Categories pair_;
  };

  explicit McsTable(Dice dice) : dice_(std::move(dice)) {}

  // A pair that nobody has. Error: VIR_ERR_RESOURCE_BUSY when all are taken.
  Result<Claim> claim();
  // That very pair, if nobody has it. Error: VIR_ERR_RESOURCE_BUSY.
  Result<Claim> claim(Categories pair);
  // That pair, whoever else has it: of a guest that an earlier daemon started.
  Claim inherit(Categories pair);

  std::size_t size() const { return table_->size(); }

 private:
  Dice dice_;
  std::shared_ptr<Claim::Holders> table_ = std::make_shared<Claim::Holders>();
};

}  // namespace vireo::security
