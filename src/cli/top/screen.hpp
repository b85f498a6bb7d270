// The terminal, by way of ncurses: draws the header, the rows in view and the line of keys, and tells which key was
// pressed. Nothing is decided here. One at a time; its end restores the terminal.
#pragma once

#include <string>
#include <vector>

#include "cli/top/columns.hpp"
#include "cli/top/guest_list.hpp"

namespace vireo::cli::top {

// What a key of the keyboard means; other characters come as they are.
enum Key : int {
  none = -1,
  resized = 0x200000,
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  enter,
  escape,
  backspace,
  f1,
  f3,
  f4,
  f6,
  f10,
};

class Screen {
 public:
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // The terminal cannot be drawn on.
  bool failed() const { return failed_; }
  int read_key();
  int width() const;
  // Rows of the list that fit.
  std::size_t list_height() const;

  struct Frame {
    GuestList& list;
    std::string trouble;              // shown in the header; empty: none
    std::string bottom;               // what is being asked for; empty: the line of keys
    std::vector<std::string> window;  // over the list: help, a choice; empty: none
    std::size_t window_selected = std::string::npos;
  };
  void draw(const Frame& frame);

 private:
  void draw_list(GuestList& list);
  void draw_keys();
  void draw_window(const Frame& frame);

  bool failed_ = false;
};

}  // namespace vireo::cli::top
