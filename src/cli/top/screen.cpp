// Drawing. Only the rows in view are made into text, and ncurses sends the terminal only what has changed.
#include "cli/top/screen.hpp"

#define NCURSES_NOMACROS 1  // functions are functions
#include <curses.h>

#include <algorithm>
#include <clocale>
#include <cstdio>

#include "cli/top/header.hpp"

namespace vireo::cli::top {
namespace {

constexpr int kHeaderLines = 2, kTitleLine = 3, kFirstRow = 4;

enum Colour : short { kTitle = 1, kSelected, kIll, kBusy, kDim, kKey, kTrouble, kGood };

void print(int line, int column, const std::string& text, attr_t attributes) {
  ::attrset(static_cast<int>(attributes));
  ::mvaddstr(line, column, text.c_str());
  ::attrset(static_cast<int>(A_NORMAL));
}

attr_t look_of(const Guest& guest) {
  if (guest.ill()) return COLOR_PAIR(kIll) | A_BOLD;
  if (guest.liveness_kind == "busy" || guest.state == "paused") return COLOR_PAIR(kBusy);
  return guest.active() ? A_NORMAL : COLOR_PAIR(kDim) | A_DIM;
}

}  // namespace

Screen::Screen() {
  std::setlocale(LC_ALL, "");
  ::set_escdelay(50);
  // initscr() would end the program where there is no terminal of a known kind.
  auto* screen = ::newterm(nullptr, stdout, stdin);
  failed_ = screen == nullptr;
  if (failed_) return;
  ::set_term(screen);
  ::cbreak();
  ::noecho();
  ::nonl();
  ::keypad(stdscr, TRUE);
  ::nodelay(stdscr, TRUE);
  ::curs_set(0);
  if (::has_colors()) {
    ::start_color();
    ::use_default_colors();
    ::init_pair(kTitle, COLOR_BLACK, COLOR_GREEN);
    ::init_pair(kSelected, COLOR_BLACK, COLOR_CYAN);
    ::init_pair(kIll, COLOR_RED, -1);
    ::init_pair(kBusy, COLOR_YELLOW, -1);
    ::init_pair(kDim, -1, -1);
    ::init_pair(kKey, COLOR_BLACK, COLOR_CYAN);
    ::init_pair(kTrouble, COLOR_WHITE, COLOR_RED);
    ::init_pair(kGood, COLOR_CYAN, -1);
  }
}

Screen::~Screen() {
  if (!failed_) ::endwin();
}

int Screen::width() const { return COLS; }

std::size_t Screen::list_height() const { return static_cast<std::size_t>(std::max(LINES - kFirstRow - 1, 1)); }

int Screen::read_key() {
  const int key = ::getch();
  switch (key) {
    case ERR:
      return Key::none;
    case KEY_RESIZE:
      return Key::resized;
    case KEY_UP:
      return Key::up;
    case KEY_DOWN:
      return Key::down;
    case KEY_PPAGE:
      return Key::page_up;
    case KEY_NPAGE:
      return Key::page_down;
    case KEY_HOME:
      return Key::home;
    case KEY_END:
      return Key::end;
    case '\r':
    case '\n':
    case KEY_ENTER:
      return Key::enter;
    case 27:
      return Key::escape;
    case KEY_BACKSPACE:
    case 127:
    case 8:
      return Key::backspace;
    case KEY_F(1):
      return Key::f1;
    case KEY_F(3):
      return Key::f3;
    case KEY_F(4):
      return Key::f4;
    case KEY_F(6):
      return Key::f6;
    case KEY_F(10):
      return Key::f10;
    default:
      return key;
  }
}

void Screen::draw_list(GuestList& list) {
  const auto placed = layout(COLS);
  int at = 0;
  print(kTitleLine, 0, std::string(static_cast<std::size_t>(COLS), ' '), COLOR_PAIR(kTitle));
  for (const auto& [index, width] : placed) {
    const auto& column = columns()[index];
    const bool sorted = index == list.sorted_by();
    print(kTitleLine, at, fitted(column.title, width, column.right),
          COLOR_PAIR(sorted ? kSelected : kTitle) | (sorted ? A_BOLD : 0));
    at += width + 1;
  }
  const auto height = list_height();
  const auto first = list.first_in_view(height);
  for (std::size_t i = first; i < std::min(list.size(), first + height); ++i) {
    const auto& guest = list.row(i);
    std::string line;
    for (const auto& [index, width] : placed)
      line += fitted(columns()[index].text(guest), width, columns()[index].right) + " ";
    const bool selected = i == list.selected();
    const attr_t look = selected ? COLOR_PAIR(kSelected) | (::has_colors() ? 0 : A_REVERSE) : look_of(guest);
    print(kFirstRow + static_cast<int>(i - first), 0, fitted(line, COLS), look);
  }
}

void Screen::draw_keys() {
  static constexpr std::pair<const char*, const char*> keys[] = {{"F1", "Help"},   {"F3", "Search"}, {"F4", "Filter"},
                                                                 {"F6", "SortBy"}, {"I", "Invert"},  {"d", "Delay"},
                                                                 {"F10", "Quit"}};
  int at = 0;
  for (const auto& [key, meaning] : keys) {
    print(LINES - 1, at, key, A_NORMAL);
    at += static_cast<int>(std::string_view(key).size());
    print(LINES - 1, at, fitted(meaning, 7), COLOR_PAIR(kKey) | (::has_colors() ? 0 : A_REVERSE));
    at += 7;
  }
}

void Screen::draw_window(const Frame& frame) {
  const auto height = list_height();
  const auto& lines = frame.window;
  const bool choice = frame.window_selected != std::string::npos;
  const auto first = choice && frame.window_selected >= height ? frame.window_selected - height + 1 : 0;
  int widest = 0;
  for (const auto& line : lines) widest = std::max(widest, static_cast<int>(line.size()));
  for (std::size_t i = first; i < std::min(lines.size(), first + height); ++i)
    print(kFirstRow + static_cast<int>(i - first), 0, fitted(" " + lines[i], std::min(widest + 2, COLS)),
          i == frame.window_selected ? COLOR_PAIR(kSelected) | A_BOLD : A_BOLD);
}

void Screen::draw(const Frame& frame) {
  ::erase();
  const auto lines = header(frame.list, COLS);
  for (int i = 0; i < kHeaderLines; ++i) print(i, 0, lines[static_cast<std::size_t>(i)], COLOR_PAIR(kGood));
  // The line between says what is wrong: with the daemon, or with the selected guest, in full.
  if (!frame.trouble.empty())
    print(kHeaderLines, 0, fitted(" " + frame.trouble, COLS), COLOR_PAIR(kTrouble) | A_BOLD);
  else if (frame.list.size() > 0)
    if (const auto& guest = frame.list.row(frame.list.selected()); guest.ill() || guest.liveness_kind == "busy")
      print(kHeaderLines, 0, fitted(guest.name + ": " + guest.liveness, COLS), look_of(guest));
  draw_list(frame.list);
  if (!frame.window.empty()) draw_window(frame);
  if (frame.bottom.empty())
    draw_keys();
  else
    print(LINES - 1, 0, fitted(frame.bottom, COLS - 1), A_BOLD);
  ::refresh();
}

}  // namespace vireo::cli::top
