// The table of sites, and its report.
#include "base/wait_site.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>

namespace vireo {
namespace {

// Sites are never taken out, so a reference to one stays good; the leaf mutex guards the index and the deque alone, for
// the length of one look.
struct Table {
  using Key = std::tuple<std::string_view, unsigned, unsigned, std::string_view, std::string_view>;
  std::mutex mutex;
  std::deque<WaitSite> sites;
  std::map<Key, WaitSite*> index;
};

Table& table() {
  static auto* const all = new Table;  // outlives every thread that may still wait at the process's end
  return *all;
}

std::string short_file_name(std::string_view file) {
  for (const std::string_view root : {"/src/", "/tests/", "/bench/"})
    if (const auto at = file.rfind(root); at != std::string_view::npos) return std::string(file.substr(at + 1));
  return std::string(file);
}

}  // namespace

WaitSite& WaitSite::at(const char* kind, std::string_view what, std::source_location where) {
  Table& all = table();
  const std::lock_guard hold(all.mutex);
  const Table::Key key{where.file_name(), where.line(), where.column(), kind, what};
  if (const auto found = all.index.find(key); found != all.index.end()) return *found->second;
  WaitSite& made = all.sites.emplace_back(kind, what, where);
  all.index.emplace(Table::Key{where.file_name(), where.line(), where.column(), kind, made.what_}, &made);
  return made;
}

void WaitSite::add(std::chrono::nanoseconds waited, const char* holder) {
  if (!holder) return without_holder_.add(waited);
  for (auto& slot : by_holder_) {
    const char* known = slot.holder.load(std::memory_order_relaxed);
    if (!known && slot.holder.compare_exchange_strong(known, holder, std::memory_order_relaxed)) known = holder;
    if (known == holder) return slot.stats.add(waited);
  }
  others_.add(waited);
}

std::vector<WaitRow> WaitReport::take() {
  std::vector<WaitRow> rows;
  const auto add = [&rows](const WaitSite& site, std::string holder, const WaitStats& stats) {
    if (stats.count() == 0) return;
    rows.push_back({.kind = site.kind_,
                    .what = site.what_,
                    .function = short_function_name(site.where_.function_name()),
                    .file = short_file_name(site.where_.file_name()),
                    .line = site.where_.line(),
                    .holder = std::move(holder),
                    .count = stats.count(),
                    .total_ns = stats.total_ns(),
                    .max_ns = stats.max_ns()});
  };
  {
    Table& all = table();
    const std::lock_guard hold(all.mutex);
    for (const auto& site : all.sites) {
      add(site, "", site.without_holder_);
      add(site, "others", site.others_);
      for (const auto& slot : site.by_holder_)
        if (const char* holder = slot.holder.load(std::memory_order_relaxed))
          add(site, short_function_name(holder), slot.stats);
    }
  }
  std::ranges::sort(rows, std::ranges::greater(), &WaitRow::total_ns);
  return rows;
}

void WaitReport::reset() {
  Table& all = table();
  const std::lock_guard hold(all.mutex);
  for (auto& site : all.sites) {
    site.without_holder_.reset();
    site.others_.reset();
    for (auto& slot : site.by_holder_) slot.stats.reset();
  }
}

std::string short_function_name(std::string_view signature) {
  if (!signature.contains('(')) return std::string(signature);  // no function's, but somebody's in words
  if (const auto details = signature.find(" ["); details != std::string_view::npos)
    signature = signature.substr(0, details);
  // The arguments begin at the last parenthesis that is outside templates and outside other parentheses.
  int depth = 0;
  std::size_t end = signature.size(), begin = 0;
  bool arguments_found = false;
  for (auto i = signature.size(); i-- > 0;) {
    const char c = signature[i];
    if (c == ')' || c == '>') ++depth;
    if (c == '(' || c == '<') --depth;
    if (depth != 0) continue;
    if (c == '(' && !arguments_found && i > 0) {
      arguments_found = true;
      end = i;
    } else if (c == ' ' && arguments_found) {
      begin = i + 1;
      break;
    }
  }
  auto name = signature.substr(begin, end - begin);
  while (name.starts_with('*') || name.starts_with('&')) name.remove_prefix(1);
  std::string out(name);
  for (const std::string_view noise : {"vireo::", "(anonymous namespace)::"})
    for (auto at = out.find(noise); at != std::string::npos; at = out.find(noise)) out.erase(at, noise.size());
  return out;
}

}  // namespace vireo
