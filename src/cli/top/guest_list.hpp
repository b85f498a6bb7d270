// The list that `vireo top` shows: which guests, in which order, which of them is selected, and which part is in view.
// Holds order and numbers only; nothing is made into text here, so that it is quick with thousands of guests. Pure.
#pragma once

#include <string>
#include <vector>

#include "cli/top/figures.hpp"

namespace vireo::cli::top {

class GuestList {
 public:
  // `pattern`: of names as a shell has them; empty: all.
  explicit GuestList(std::string pattern = {}) : pattern_(std::move(pattern)) {}

  // A new moment takes the place of the last.
  void take(Moment now);
  const Moment& moment() const { return moment_; }

  // Sorting: by a column's place, in its own direction until it is turned over.
  void sort_by(std::size_t column);
  void invert();
  std::size_t sorted_by() const { return sorted_by_; }
  bool descending() const { return descending_; }

  // Only guests whose names hold the text, whatever its case; empty: all.
  void filter(std::string text);
  const std::string& filtered_by() const { return filter_; }
  // Selects the next guest, from the selected one on, whose name holds the text. False: there is none.
  bool search(const std::string& text, bool from_next);

  std::size_t size() const { return rows_.size(); }
  const Guest& row(std::size_t at) const { return moment_.guests[rows_[at]]; }
  std::size_t selected() const { return selected_; }
  void move(std::ptrdiff_t by);
  void select_first() { move(-static_cast<std::ptrdiff_t>(rows_.size())); }
  void select_last() { move(static_cast<std::ptrdiff_t>(rows_.size())); }

  // The first row in view when so many fit.
  std::size_t first_in_view(std::size_t height);

  struct Counts {
    std::size_t all = 0, running = 0, paused = 0, ill = 0;
  };
  Counts counts() const;

 private:
  void arrange();

  const std::string pattern_;
  Moment moment_;
  std::vector<std::size_t> rows_;  // places in moment_.guests
  std::size_t sorted_by_ = 2;      // CPU%
  bool descending_ = true;
  std::string filter_;
  std::size_t selected_ = 0, top_ = 0;
  std::string followed_;  // the UUID of the guest that a search has found: it stays selected when rows move
};

}  // namespace vireo::cli::top
