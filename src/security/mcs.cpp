// A pair is tried at random, and then the next ones after it: with half a million of them the first is nearly always
// free.
#include "security/mcs.hpp"

#include <algorithm>
#include <charconv>

namespace vireo::security {

std::string Categories::text() const { return fmt::format("c{},c{}", low, high); }

std::optional<Categories> categories_in(std::string_view context) {
  const auto colon = context.rfind(':');
  auto level = colon == std::string_view::npos ? context : context.substr(colon + 1);
  const auto comma = level.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view text) -> std::optional<unsigned> {
    unsigned value = 0;
    if (!text.starts_with('c')) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value >= McsTable::kCategories) return std::nullopt;
    return value;
  };
  const auto one = number(level.substr(0, comma)), other = number(level.substr(comma + 1));
  if (!one || !other || *one == *other) return std::nullopt;
  return Categories{.low = std::min(*one, *other), .high = std::max(*one, *other)};
}

McsTable::Claim::~Claim() {
  if (!table_) return;  // moved from
  const auto entry = table_->find(pair_);
  if (--entry->second == 0) table_->erase(entry);
}

Result<McsTable::Claim> McsTable::claim(Categories pair) {
  if (!table_->try_emplace(pair, 1).second)
    return fail_from(VIR_FROM_SECURITY, VIR_ERR_RESOURCE_BUSY,
                     "the categories " + pair.text() + " are another running guest's");
  return Claim(table_, pair);
}

Result<McsTable::Claim> McsTable::claim() {
  constexpr unsigned kPairs = kCategories * (kCategories - 1) / 2;
  const auto low = dice_(kCategories), high = dice_(kCategories);
  Categories pair{.low = std::min(low, high), .high = std::max(low, high)};
  for (unsigned tried = 0; tried <= kPairs; ++tried) {
    if (pair.low < pair.high && !table_->contains(pair)) return claim(pair);
    if (++pair.high < kCategories) continue;
    if (++pair.low >= kCategories - 1) pair.low = 0;
    pair.high = pair.low + 1;
  }
  return fail_from(VIR_FROM_SECURITY, VIR_ERR_RESOURCE_BUSY, "all pairs of categories are taken by running guests");
}

McsTable::Claim McsTable::inherit(Categories pair) {
  ++(*table_)[pair];
  return Claim(table_, pair);
}

}  // namespace vireo::security
