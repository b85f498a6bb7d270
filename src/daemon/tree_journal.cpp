// Noting, taking, writing.
#include "daemon/tree_journal.hpp"

#include <unordered_set>

#include "base/log.hpp"
#include "tree/directory.hpp"
#include "tree/trie.hpp"

namespace vireo::daemon {
namespace {

using std::chrono::hours, std::chrono::seconds;
using tree::Node, tree::Path, tree::Ref;

// Of one commit while the tree is restored.
constexpr std::size_t nodes_of_a_commit = 1'000;
// How long the disk may be silent before the log says so; the batch is not given up.
constexpr seconds disk_patience{60};
// Between two lines of the log about a store that fails.
constexpr seconds between_complaints{30};
// In mode behind, one part in so many of the time is spent on writing, as long as nothing waits for longer than
// `longest`: many clients' many writes make larger batches, which cost less for each node, and not more work.
constexpr int share = 10;
constexpr std::chrono::milliseconds longest{1'000};
// What is handed to the store at one time.
constexpr std::size_t nodes_of_a_part = 1'000;

std::string text_of(const tree::Permissions& permissions) {
  std::string text;
  for (const auto& each : permissions) text += (text.empty() ? "" : " ") + each.text();
  return text;
}

// Empty: it is no list of permissions.
tree::Permissions permissions_of(std::string_view text) {
  tree::Permissions list;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const auto one = tree::Permission::parse(text.substr(0, end));
    if (!one) return {};
    list.push_back(*one);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return list;
}

ports::StoredNode stored(const Node& node, std::string_view path) {
  return {.path = std::string(path), .value = std::string(node.value()), .permissions = text_of(node.permissions())};
}

using Part = ports::TreeBatch;

// A batch of what was noted, in parts: what is void first, then the nodes in the order of their paths, so that what
// lies on one page of the disk is written together. A commit tells of a node that was made and not of parents that were
// made with it, so these go along; they stay also where the node itself is gone again.
class NotedParts {
 public:
  NotedParts(const TreeNotes& notes, const Node& version)
      : notes_(notes), version_(version), places_(notes.places()), next_(places_.begin()) {
    std::ranges::sort(places_, {}, [&](std::uint32_t place) { return notes_.at(place).path; });
  }

  bool operator()(Part& part) {
    while (!voided_ && part.removed.size() < nodes_of_a_part) {
      if (next_ == places_.end()) {
        voided_ = true;
        next_ = places_.begin();
        break;
      }
      const auto [path, removed] = notes_.at(*next_++);
      if (removed || !tree::find(version_, *Path::parse(path))) part.removed.emplace_back(path);
    }
    while (voided_ && next_ != places_.end() && part.written.size() < nodes_of_a_part) {
      const Path path = *Path::parse(notes_.at(*next_++).path);
      for (Path above = path.parent(); !above.is_root() && parents_.insert(above.text()).second; above = above.parent())
        add(above, part);
      add(path, part);
    }
    return !part.removed.empty() || !part.written.empty();
  }

 private:
  void add(Path path, Part& part) const {
    if (const Node* node = tree::find(version_, path)) part.written.push_back(stored(*node, path.text()));
  }

  const TreeNotes& notes_;
  const Node& version_;
  std::vector<std::uint32_t> places_;
  std::vector<std::uint32_t>::const_iterator next_;
  bool voided_ = false;
  std::unordered_set<std::string_view> parents_;  // that are in the batch; parts of what was noted
};

// A batch of everything in one version, in parts. It goes by the trie, whose pieces nobody changes, and not by the
// lists of names, which are put together when somebody asks for them.
class WholeParts {
 public:
  WholeParts(const Node& version, const std::function<bool(Path)>& leave_out) : leave_out_(leave_out) {
    left_.push_back({.node = &version, .path = "/"});
  }

  bool operator()(Part& part) {
    if (!std::exchange(begun_, true)) part.removed.emplace_back("/");
    while (!left_.empty() && part.written.size() < nodes_of_a_part) {
      const auto [node, path] = std::move(left_.back());
      left_.pop_back();
      part.written.push_back(stored(*node, path));
      if (const auto* directory = node->children())
        if (directory->top()) children(*directory->top(), path == "/" ? "" : path);
    }
    return !part.written.empty();
  }

 private:
  struct Place {
    const Node* node;
    std::string path;
  };
  void children(const tree::Piece& piece, const std::string& parent) {  // NOLINT(misc-no-recursion): as a hash is long
    if (piece.kind() == tree::Piece::Kind::inner) {
      for (const auto& branch : static_cast<const tree::Inner&>(piece).branches)
        if (branch) children(*branch, parent);
      return;
    }
    for (const auto& node : static_cast<const tree::Leaf&>(piece).nodes()) {
      auto path = fmt::format("{}/{}", parent, node->name());
      if (!leave_out_(*Path::parse(path))) left_.push_back({.node = node.get(), .path = std::move(path)});
    }
  }

  const std::function<bool(Path)>& leave_out_;
  bool begun_ = false;
  std::vector<Place> left_;
};

}  // namespace

TreeJournal::TreeJournal(asio::any_io_executor executor, tree::Store& tree, ports::TreeStore& store, Workers& workers,
                         Options options)
    : executor_(std::move(executor)), tree_(tree), store_(store), workers_(workers), options_(std::move(options)) {}

Result<std::size_t> TreeJournal::restore() {
  std::size_t restored = 0, unreadable = 0;
  std::vector<ports::StoredNode> nodes;
  const auto keep = [&] {
    tree_.keep([&](tree::Store::Keeper& keeper) {
      for (const auto& node : nodes) {
        const auto path = Path::parse(node.path);
        auto permissions = permissions_of(node.permissions);
        if (!path || permissions.empty() || node.value.size() > Node::max_value) {
          ++unreadable;
          continue;
        }
        if (options_.leave_out(*path)) continue;
        keeper.write(*path, node.value);
        // Nodes share the permissions that they inherit, so what is the same already is not set.
        const Node* made = tree_.find(*path);
        if (!made || made->permissions() != permissions) keeper.set_permissions(*path, std::move(permissions));
        ++restored;
      }
    });
    nodes.clear();
  };
  auto loaded = store_.load([&](const ports::StoredNode& node) {
    nodes.push_back(node);
    if (nodes.size() == nodes_of_a_commit) keep();
  });
  if (!loaded)
    return fail(loaded.error().code, loaded.error().detail + "; move the file away to begin with an empty tree");
  keep();
  if (unreadable > 0) log::warn("{} nodes of the tree's journal cannot be read and are left out", unreadable);
  return restored;
}

void TreeJournal::start() {
  tree_.listen([this](const tree::Commit& commit) { note(commit); });
  asio::co_spawn(executor_, write_batches(), asio::detached);
}

void TreeJournal::note(const tree::Commit& commit) {
  for (const auto& change : commit.changes) {
    if (options_.leave_out(change.path)) continue;
    const bool removed = change.kind == tree::Change::Kind::removed;
    if (whole_) break;
    notes_.add(change.path.text(), removed);
    if (notes_.bytes() <= options_.most_noted_bytes) continue;
    notes_ = {};
    whole_ = true;
  }
  noted_count_.store(notes_.size(), std::memory_order_relaxed);
  if (changed_ && dirty() && !changed_->fired()) changed_->fire();
}

asio::awaitable<void> TreeJournal::write_batches() {
  SteadyClock::time_point next{};
  for (;;) {
    while (!dirty()) {
      if (finished_) finished_->fire();
      changed_.emplace(executor_);
      co_await changed_->wait(Deadline::in(hours(24)));
    }
    if (options_.mode == Mode::behind && !finishing_) co_await pause(next);
    const auto began = SteadyClock::now();
    co_await save(take());
    const auto took = SteadyClock::now() - began;
    next = began + std::clamp<SteadyClock::duration>(took * share, options_.period, std::max(longest, options_.period));
    durable_ = taken_;
    release();
  }
}

TreeJournal::LoadPtr TreeJournal::take() {
  auto load = std::make_shared<Load>();
  load->notes = std::exchange(notes_, {});
  load->whole = std::exchange(whole_, false);
  load->version = Ref<const Node>(&tree_.root());
  noted_count_.store(0, std::memory_order_relaxed);
  ++taken_;
  return load;
}

// Worker.
Result<void> TreeJournal::write(Load& load) const {
  load.nodes = 0;
  const auto counted = [&load](auto& parts) {
    return [&load, &parts](Part& part) {
      const bool more = parts(part);
      load.nodes += part.written.size();
      return more;
    };
  };
  if (load.whole) {
    WholeParts parts(*load.version, options_.leave_out);
    return store_.append(counted(parts));
  }
  NotedParts parts(load.notes, *load.version);
  return store_.append(counted(parts));
}

asio::awaitable<void> TreeJournal::save(LoadPtr load) {
  for (;;) {
    auto done = co_await workers_.run<void>([this, load] { return write(*load); }, Deadline::in(disk_patience));
    if (done) break;
    failed(done.error());
    co_await wait(options_.retry);
  }
  if (std::exchange(complaining_, false)) log::info("the tree's journal is written again");
  batches_.fetch_add(1, std::memory_order_relaxed);
  nodes_.fetch_add(load->nodes, std::memory_order_relaxed);
}

void TreeJournal::failed(const Error& error) {
  failures_.fetch_add(1, std::memory_order_relaxed);
  const auto now = SteadyClock::now();
  if (complained_ && now < *complained_ + between_complaints) return;
  complained_ = now;
  complaining_ = true;
  const std::string held = options_.mode == Mode::sync
                               ? fmt::format("; {} clients' changes are not answered until it is", held_.size())
                               : "; the tree is served on";
  log::error("the tree's journal cannot be written: {}{}", error.message(), held);
}

void TreeJournal::settle(std::function<void()> then) {
  const auto needed = dirty() ? taken_ + 1 : taken_;
  if (options_.mode == Mode::behind || durable_ >= needed) return then();
  held_.emplace_back(needed, std::move(then));
  held_count_.store(held_.size(), std::memory_order_relaxed);
}

void TreeJournal::release() {
  while (!held_.empty() && held_.front().first <= durable_) {
    const auto then = std::move(held_.front().second);
    held_.pop_front();
    then();
  }
  held_count_.store(held_.size(), std::memory_order_relaxed);
}

asio::awaitable<void> TreeJournal::pause(SteadyClock::time_point until) {
  pause_.emplace(executor_);
  co_await pause_->wait(Deadline::at(until));
  pause_.reset();
}

// Not cut short by finish(): what has failed is as likely to fail again as before.
asio::awaitable<void> TreeJournal::wait(SteadyClock::duration span) {
  Wake over(executor_);
  co_await over.wait(Deadline::in(span));
}

asio::awaitable<bool> TreeJournal::finish(Deadline deadline) {
  finishing_ = true;
  if (!dirty() && durable_ == taken_) co_return true;
  if (pause_) pause_->fire();
  finished_.emplace(executor_);
  co_return co_await finished_->wait(deadline);
}

TreeJournal::Figures TreeJournal::figures() const {
  return {.batches = batches_.load(std::memory_order_relaxed),
          .nodes = nodes_.load(std::memory_order_relaxed),
          .failures = failures_.load(std::memory_order_relaxed),
          .noted = noted_count_.load(std::memory_order_relaxed),
          .held = held_count_.load(std::memory_order_relaxed)};
}

}  // namespace vireo::daemon
