// Sorting, filtering, searching.
#include "cli/top/guest_list.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "cli/top/columns.hpp"

namespace vireo::cli::top {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool holds(const std::string& name, const std::string& text) {
  return !std::ranges::search(name, text, {}, lower, lower).empty() || text.empty();
}

}  // namespace

void GuestList::take(Moment now) {
  if (!pattern_.empty())
    std::erase_if(now.guests,
                  [this](const Guest& guest) { return ::fnmatch(pattern_.c_str(), guest.name.c_str(), 0) != 0; });
  compare(now, moment_);
  moment_ = std::move(now);
  arrange();
}

void GuestList::sort_by(std::size_t column) {
  sorted_by_ = column;
  descending_ = columns()[column].largest_first;
  arrange();
}

void GuestList::invert() {
  descending_ = !descending_;
  arrange();
}

void GuestList::filter(std::string text) {
  filter_ = std::move(text);
  arrange();
}

void GuestList::arrange() {
  rows_.clear();
  const auto& guests = moment_.guests;
  for (std::size_t i = 0; i < guests.size(); ++i)
    if (holds(guests[i].name, filter_)) rows_.push_back(i);
  const auto less = columns()[sorted_by_].less;
  std::ranges::sort(rows_, [&](std::size_t a, std::size_t b) {
    const auto &first = guests[descending_ ? b : a], &second = guests[descending_ ? a : b];
    if (less(first, second)) return true;
    // Equals stay in the order of their names, in which they came.
    return a < b && !less(second, first);
  });
  if (!followed_.empty())
    if (const auto found = std::ranges::find(rows_, followed_, [&](std::size_t at) { return guests[at].uuid; });
        found != rows_.end())
      selected_ = static_cast<std::size_t>(found - rows_.begin());
  selected_ = std::min(selected_, rows_.empty() ? 0 : rows_.size() - 1);
}

bool GuestList::search(const std::string& text, bool from_next) {
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto at = (selected_ + i + (from_next ? 1 : 0)) % rows_.size();
    if (!holds(row(at).name, text)) continue;
    selected_ = at;
    followed_ = row(at).uuid;
    return true;
  }
  return false;
}

void GuestList::move(std::ptrdiff_t by) {
  followed_.clear();
  if (rows_.empty()) return;
  const auto last = static_cast<std::ptrdiff_t>(rows_.size()) - 1;
  selected_ =
      static_cast<std::size_t>(std::clamp(static_cast<std::ptrdiff_t>(selected_) + by, std::ptrdiff_t{0}, last));
}

std::size_t GuestList::first_in_view(std::size_t height) {
  if (selected_ < top_) top_ = selected_;
  if (height > 0 && selected_ >= top_ + height) top_ = selected_ - height + 1;
  // No empty lines at the end while there are rows above.
  top_ = std::min(top_, rows_.size() > height ? rows_.size() - height : 0);
  return top_;
}

GuestList::Counts GuestList::counts() const {
  Counts out{.all = moment_.guests.size()};
  for (const auto& guest : moment_.guests) {
    out.running += guest.state == "running";
    out.paused += guest.state == "paused";
    out.ill += guest.ill();
  }
  return out;
}

}  // namespace vireo::cli::top
