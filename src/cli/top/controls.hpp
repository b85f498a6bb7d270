// What keys do: moving, sorting, searching, filtering, and what is asked for at the bottom of the screen. Pure: works
// on a GuestList, and says what is to be shown.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "cli/top/guest_list.hpp"

namespace vireo::cli::top {

class Controls {
 public:
  Controls(GuestList& list, std::chrono::milliseconds delay) : list_(list), delay_(delay) {}

  // `page`: rows that fit on the screen.
  void press(int key, std::size_t page);
  bool quit() const { return quit_; }
  std::chrono::milliseconds delay() const { return delay_; }

  // Frame::bottom, window and window_selected.
  std::string bottom() const;
  std::vector<std::string> window() const;
  std::size_t window_selected() const;

 private:
  enum class Mode { list, help, columns, search, filter, delay };
  void press_in_list(int key, std::size_t page);
  void press_in_columns(int key);
  void press_in_text(int key);
  void typed();

  GuestList& list_;
  std::chrono::milliseconds delay_;
  Mode mode_ = Mode::list;
  bool quit_ = false;
  std::string text_, before_;
  bool missed_ = false;  // nothing fits what is searched for
  std::size_t choice_ = 0;
};

}  // namespace vireo::cli::top
