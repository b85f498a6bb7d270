// vireo top: the loop on a terminal, and plain text for scripts.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "cli/commands.hpp"
#include "cli/table.hpp"
#include "cli/top/controls.hpp"
#include "cli/top/header.hpp"
#include "cli/top/poller.hpp"
#include "cli/top/screen.hpp"

namespace vireo::cli {
namespace {

using namespace top;

// A signal that ends the program does it by way of the loop's end, so that the terminal is restored.
volatile sig_atomic_t signalled = 0;

void end_on_signals() {
  struct sigaction action{};
  action.sa_handler = [](int number) { signalled = number; };
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaction(number, &action, nullptr);
}

// Columns as wide as a wide screen has them, names and sentences in full.
std::string plain_text(const GuestList& list) {
  Table table{{}};
  for (const auto& column : columns())
    if (column.key != "bar") table.front().emplace_back(column.title);
  for (std::size_t i = 0; i < list.size(); ++i) {
    table.emplace_back();
    for (const auto& column : columns())
      if (column.key != "bar") table.back().push_back(column.text(list.row(i)));
  }
  std::string out;
  for (auto line : header(list, 160)) {
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out + "\n" + aligned(table);
}

Result<void> print_plain(const Where& where, GuestList& list, const TopOptions& options,
                         std::chrono::milliseconds delay) {
  // Rates need an earlier moment.
  auto first = ask_moment(where);
  if (!first) return pass_on(first);
  list.take(std::move(*first));
  for (unsigned i = 0; options.times == 0 || i < options.times; ++i) {
    std::this_thread::sleep_for(i == 0 ? std::min(delay, std::chrono::milliseconds(1100)) : delay);
    auto moment = ask_moment(where);
    if (!moment) return pass_on(moment);
    list.take(std::move(*moment));
    std::fputs(((i > 0 ? "\n" : "") + plain_text(list)).c_str(), stdout);
    if (std::fflush(stdout) != 0) return fail(VIR_ERR_SYSTEM_ERROR, "cannot write the answer");
  }
  return {};
}

Result<void> show(const Where& where, GuestList& list, std::chrono::milliseconds delay) {
  Screen screen;
  if (screen.failed())
    return fail(VIR_ERR_SYSTEM_ERROR, "cannot draw on a terminal of this kind (TERM); vireo top --once prints plainly");
  end_on_signals();
  Poller poller(where, delay);
  Controls controls(list, delay);
  std::string trouble = "asking vireod ...";
  while (!controls.quit() && signalled == 0) {
    screen.draw({.list = list,
                 .trouble = trouble,
                 .bottom = controls.bottom(),
                 .window = controls.window(),
                 .window_selected = controls.window_selected()});
    pollfd sources[] = {{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0},
                        {.fd = poller.descriptor(), .events = POLLIN, .revents = 0}};
    ::poll(sources, 2, -1);
    if ((sources[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) break;  // the terminal has gone
    for (int key = screen.read_key(); key != Key::none; key = screen.read_key())
      controls.press(key, screen.list_height());
    if (auto news = poller.take()) {
      trouble = std::move(news->trouble);
      if (news->moment) list.take(std::move(*news->moment));
    }
    if (controls.delay() != delay) poller.set_delay(delay = controls.delay());
  }
  return {};
}

}  // namespace

Result<void> top_command(const Where& where, const TopOptions& options) {
  GuestList list(options.match);
  if (!options.sort.empty()) {
    const auto column = column_of(options.sort);
    if (!column) {
      std::string known;
      for (const auto& each : columns()) known += (known.empty() ? "" : ", ") + std::string(each.key);
      return fail(VIR_ERR_INVALID_ARG, "there is no column '" + options.sort + "'; there are " + known);
    }
    list.sort_by(*column);
  }
  const std::chrono::milliseconds delay(static_cast<std::int64_t>(options.delay_s * 1000));
  if (options.batch) return print_plain(where, list, options, delay);
  if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
    return fail(VIR_ERR_SYSTEM_ERROR, "this is no terminal; vireo top --once prints plainly");
  return show(where, list, delay);
}

}  // namespace vireo::cli
