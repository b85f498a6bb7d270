// The thread, its inotify descriptor, and reading what is new.
#include "qemu/console_watch.hpp"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <map>

#include "base/fd.hpp"
#include "base/log.hpp"

namespace vireo::qemu {
namespace {

// A guest that prints without end costs at most this many readings a second.
constexpr auto kBetweenReadings = std::chrono::milliseconds(20);
// How often the files of guests that are up, at which nobody looks any more, are emptied.
constexpr auto kBetweenEmptyings = std::chrono::seconds(5);
constexpr off_t kBlock = 4096;
// What may be in a file that was read already.
constexpr off_t kKept = 64 * kBlock;

struct Watched {
  std::string path;
  Fd file;
  bool fresh = false;
  off_t offset = 0;   // read up to here
  off_t emptied = 0;  // nothing is stored before this
  TextSearch search;
  asio::any_io_executor executor;
  ConsoleWatch::Found found;
  int descriptor = -1;  // inotify's; -1: found, or cannot be watched

  // A hole takes no memory and, unlike a truncation, cannot take what QEMU is just adding. The last block stays: the
  // text may have begun there.
  void empty() {
    const off_t until = offset / kBlock * kBlock - kBlock;
    if (until <= emptied) return;
    if (::fallocate(file.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, until) != 0)
      log::debug("'{}' cannot be emptied: {}", path, std::strerror(errno));
    emptied = until;
  }
};

}  // namespace

struct ConsoleWatch::Inner {
  IoThread thread{"consoles"};
  bool started = false;
  std::uint64_t next = 1;

  // The thread's own.
  std::map<std::uint64_t, Watched> watched;
  std::map<int, std::uint64_t> by_descriptor;
  std::optional<asio::posix::stream_descriptor> notify;
  std::optional<asio::steady_timer> pause, emptying;
  alignas(inotify_event) std::array<char, 4096> events{};

  void begin(std::uint64_t number, Watched one);
  void end(std::uint64_t number);
  bool open(Watched& one);
  void read(Watched& one, bool long_since);
  void wait();
  void take_events(std::size_t size);
  void empty_later();
};

bool ConsoleWatch::Inner::open(Watched& one) {
  const auto cannot = [&one](const char* what) {
    log::warn("the console of a guest cannot be watched, so nobody will know when it is up: '{}': {}: {}", one.path,
              what, std::strerror(errno));
    return false;
  };
  if (!notify) {
    const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (descriptor < 0) return cannot("inotify_init1 (see fs.inotify.max_user_instances)");
    notify.emplace(thread.executor(), descriptor);
    wait();
  }
  // QEMU's user owns it, in a folder of the daemon's.
  one.file = Fd(::open(one.path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat about{};
  if (!one.file || ::fstat(one.file.get(), &about) != 0) return cannot("open");
  if (!S_ISREG(about.st_mode)) {
    errno = EINVAL;
    return cannot("no regular file");
  }
  one.descriptor = ::inotify_add_watch(notify->native_handle(), one.path.c_str(), IN_MODIFY);
  if (one.descriptor < 0) return cannot("inotify_add_watch (see fs.inotify.max_user_watches)");
  // What an earlier daemon has emptied need not be read.
  const off_t data = ::lseek(one.file.get(), 0, SEEK_DATA);
  one.offset = one.emptied = data > 0 ? data : 0;
  return true;
}

void ConsoleWatch::Inner::begin(std::uint64_t number, Watched one) {
  if (!open(one)) return;
  by_descriptor[one.descriptor] = number;
  auto& mine = watched.emplace(number, std::move(one)).first->second;
  read(mine, !mine.fresh);
}

void ConsoleWatch::Inner::end(std::uint64_t number) {
  const auto found = watched.find(number);
  if (found == watched.end()) return;
  if (found->second.descriptor >= 0) {
    by_descriptor.erase(found->second.descriptor);
    ::inotify_rm_watch(notify->native_handle(), found->second.descriptor);
  }
  watched.erase(found);
}

void ConsoleWatch::Inner::read(Watched& one, bool long_since) {
  std::array<char, 16 * kBlock> piece;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by pread
  for (;;) {
    const auto size = ::pread(one.file.get(), piece.data(), piece.size(), one.offset);
    if (size <= 0) break;
    one.offset += size;
    if (!one.search.feed({piece.data(), static_cast<std::size_t>(size)})) continue;
    by_descriptor.erase(one.descriptor);
    ::inotify_rm_watch(notify->native_handle(), std::exchange(one.descriptor, -1));
    asio::post(one.executor, [found = std::move(one.found), long_since] { found(long_since); });
    empty_later();
    return;
  }
  if (one.offset - one.emptied > kKept) one.empty();
}

void ConsoleWatch::Inner::wait() {
  notify->async_read_some(asio::buffer(events), [this](boost::system::error_code error, std::size_t size) {
    if (error) return;
    take_events(size);
    pause.emplace(thread.executor(), kBetweenReadings);
    pause->async_wait([this](boost::system::error_code stopped) {
      if (!stopped) wait();
    });
  });
}

void ConsoleWatch::Inner::take_events(std::size_t size) {
  for (std::size_t at = 0; at + sizeof(inotify_event) <= size;) {
    inotify_event event{};
    std::memcpy(&event, events.data() + at, sizeof event);
    at += sizeof event + event.len;
    const auto found = by_descriptor.find(event.wd);
    if (found != by_descriptor.end()) read(watched.at(found->second), false);
  }
}

// Guests that are up go on printing.
void ConsoleWatch::Inner::empty_later() {
  if (emptying) return;
  emptying.emplace(thread.executor(), kBetweenEmptyings);
  emptying->async_wait([this](boost::system::error_code stopped) {
    if (stopped) return;
    emptying.reset();
    for (auto& [number, one] : watched) {
      if (one.descriptor >= 0) continue;
      struct stat about{};
      if (::fstat(one.file.get(), &about) == 0) one.offset = about.st_size;
      one.empty();
      empty_later();
    }
  });
}

ConsoleWatch::ConsoleWatch() : inner_(std::make_unique<Inner>()) {}

ConsoleWatch::~ConsoleWatch() { stop(); }

void ConsoleWatch::stop() { inner_->thread.end(); }

ConsoleWatch::Ticket ConsoleWatch::watch(std::string path, std::string text, bool fresh, asio::any_io_executor executor,
                                         Found found) {
  if (!std::exchange(inner_->started, true)) inner_->thread.start();
  const auto number = inner_->next++;
  Watched one{.path = std::move(path),
              .file = {},
              .fresh = fresh,
              .search = TextSearch(std::move(text)),
              .executor = std::move(executor),
              .found = std::move(found)};
  asio::post(inner_->thread.executor(),
             [inner = inner_.get(), number, one = std::move(one)]() mutable { inner->begin(number, std::move(one)); });
  return {nullptr, [inner = inner_.get(), number](void*) {
            asio::post(inner->thread.executor(), [inner, number] { inner->end(number); });
          }};
}

}  // namespace vireo::qemu
