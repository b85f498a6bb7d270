// One function for each thing that keys can be meant for.
#include "cli/top/controls.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "cli/top/columns.hpp"
#include "cli/top/screen.hpp"

namespace vireo::cli::top {
namespace {

constexpr int kControlC = 3;

const std::vector<std::string> help{
    "vireo top: all guests of this host, live",
    "",
    "Up Down PgUp PgDn Home End   move",
    "P  M  T  N                   sort by CPU, memory, CPU time, name",
    "F6 > <                       choose the column to sort by",
    "I                            sort the other way round",
    "F3 /                         search by name; F3 again: the next",
    "F4 \\                         show only names that hold a text",
    "d                            how often to ask",
    "F1 h ?                       this help",
    "F10 q                        quit",
    "",
    "CPU% is of one processor. MON: how long the monitor took to answer, in ms.",
    "AGE: of the kernel's figures. RD WR RX TX: bytes in each second.",
    "LIVENESS: why a guest does not answer, and who holds its lane.",
    "",
    "Any key goes back.",
};

std::string seconds_text(std::chrono::milliseconds delay) {
  return fmt::format("{:g}", static_cast<double>(delay.count()) / 1000);
}

}  // namespace

void Controls::press(int key, std::size_t page) {
  if (key == Key::none || key == Key::resized) return;
  if (key == Key::f10 || key == kControlC) {
    quit_ = true;
    return;
  }
  switch (mode_) {
    case Mode::list:
      return press_in_list(key, page);
    case Mode::help:
      mode_ = Mode::list;
      return;
    case Mode::columns:
      return press_in_columns(key);
    case Mode::search:
    case Mode::filter:
    case Mode::delay:
      return press_in_text(key);
  }
}

void Controls::press_in_list(int key, std::size_t page) {
  const auto rows = static_cast<std::ptrdiff_t>(page);
  const auto sort = [this](std::string_view column) { list_.sort_by(*column_of(column)); };
  const auto ask = [this](Mode mode, std::string text) {
    mode_ = mode;
    before_ = text_ = std::move(text);
    missed_ = false;
  };
  switch (key) {
    case Key::up:
    case 'k':
      return list_.move(-1);
    case Key::down:
    case 'j':
      return list_.move(1);
    case Key::page_up:
      return list_.move(-rows);
    case Key::page_down:
      return list_.move(rows);
    case Key::home:
      return list_.select_first();
    case Key::end:
      return list_.select_last();
    case 'P':
      return sort("cpu");
    case 'M':
      return sort("rss");
    case 'T':
      return sort("time");
    case 'N':
      return sort("name");
    case 'I':
      return list_.invert();
    case Key::f6:
    case '>':
    case '<':
    case '.':
    case ',':
      mode_ = Mode::columns;
      choice_ = list_.sorted_by();
      return;
    case Key::f3:
    case '/':
      return ask(Mode::search, "");
    case Key::f4:
    case '\\':
      return ask(Mode::filter, list_.filtered_by());
    case 'd':
      return ask(Mode::delay, "");
    case Key::f1:
    case 'h':
    case '?':
      mode_ = Mode::help;
      return;
    case 'q':
      quit_ = true;
      return;
    default:
      return;
  }
}

void Controls::press_in_columns(int key) {
  const auto last = columns().size() - 1;
  if (key == Key::up && choice_ > 0) --choice_;
  if (key == Key::down && choice_ < last) ++choice_;
  if (key == Key::home) choice_ = 0;
  if (key == Key::end) choice_ = last;
  if (key == Key::enter) list_.sort_by(choice_);
  if (key == Key::enter || key == Key::escape || key == 'q') mode_ = Mode::list;
}

// The text has changed; search and filter follow at once.
void Controls::typed() {
  if (mode_ == Mode::search) missed_ = !text_.empty() && !list_.search(text_, false);
  if (mode_ == Mode::filter) list_.filter(text_);
}

void Controls::press_in_text(int key) {
  if (key == Key::escape) {
    if (mode_ == Mode::filter) list_.filter("");
    mode_ = Mode::list;
  } else if (key == Key::enter) {
    double seconds = 0;
    if (mode_ == Mode::delay && std::from_chars(text_.data(), text_.data() + text_.size(), seconds).ec == std::errc())
      delay_ = std::chrono::milliseconds(static_cast<std::int64_t>(std::clamp(seconds, 0.1, 3600.0) * 1000));
    mode_ = Mode::list;
  } else if (key == Key::f3 && mode_ == Mode::search) {
    missed_ = !list_.search(text_, true);
  } else if (key == Key::backspace) {
    // A whole character of UTF-8.
    while (!text_.empty() && (static_cast<unsigned char>(text_.back()) & 0xc0) == 0x80) text_.pop_back();
    if (!text_.empty()) text_.pop_back();
    typed();
  } else if (key >= ' ' && key < 0x100) {
    text_ += static_cast<char>(key);
    typed();
  }
}

std::string Controls::bottom() const {
  switch (mode_) {
    case Mode::search:
      return fmt::format("Search: {}{}", text_, missed_ ? "   (none)" : "   F3 next, Enter done");
    case Mode::filter:
      return fmt::format("Filter: {}   Enter done, Esc all", text_);
    case Mode::delay:
      return fmt::format("Seconds between two looks ({}): {}", seconds_text(delay_), text_);
    default:
      return {};
  }
}

std::vector<std::string> Controls::window() const {
  if (mode_ == Mode::help) return help;
  if (mode_ != Mode::columns) return {};
  std::vector<std::string> out;
  for (const auto& column : columns())
    out.push_back(fmt::format("{:<10}", column.title.empty() ? std::string("CPU bar") : std::string(column.title)));
  return out;
}

std::size_t Controls::window_selected() const { return mode_ == Mode::columns ? choice_ : std::string::npos; }

}  // namespace vireo::cli::top
