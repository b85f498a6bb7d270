// Between the core's thread and the tree's: changes of guests go one way, requests the other.
#include "daemon/tree_service.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.hpp"

namespace vireo::daemon {

TreeService::TreeService(core::Host& host, Kept kept)
    : host_(host),
      mode_(kept.mode),
      kept_(std::move(kept.store)),
      guests_(store_, {.introduce = [this](tree::DomainId id) { door_.introduce(id); },
                       .release = [this](tree::DomainId id) { door_.release(id); },
                       .ask = [this](tree::DomainId id, const TreeGuests::Guest& guest, presence::Request request,
                                     std::string word) { ask(id, guest, request, std::move(word)); }}),
      door_(thread_.executor(), store_, services(kept.mode)) {
  if (kept_)
    journal_.emplace(thread_.executor(), store_, *kept_, journal_workers_,
                     TreeJournal::Options{.mode = kept.mode, .leave_out = presence::belongs_to_guest});
  store_.listen([this](const tree::Commit&) { note_figures(); });
}

doors::xenstore::Services TreeService::services(TreeJournal::Mode mode) {
  doors::xenstore::Services services{.exists = [this](tree::DomainId id) { return guests_.runs(id); }};
  // Without it, the door waits for nobody.
  if (kept_ && mode == TreeJournal::Mode::sync)
    services.settle = [this](std::function<void()> then) { journal_->settle(std::move(then)); };
  return services;
}

Result<void> TreeService::start() {
  thread_.start();
  if (journal_)
    if (auto restored = asio::post(thread_.executor(), asio::use_future([this] { return restore(); })).get(); !restored)
      return restored;
  asio::post(host_.core, asio::use_future([this] { follow(); })).get();
  // By then all that was found is in the tree.
  asio::post(thread_.executor(), asio::use_future([this] { bury(); })).get();
  return {};
}

// Tree thread. Guests that ended while no daemon ran lose what they owned, as they would have with one.
void TreeService::bury() {
  std::vector<tree::DomainId> gone;
  for (const auto& [domain, has] : store_.accounts().all())
    if (domain != 0 && has.nodes > 0 && !guests_.runs(domain)) gone.push_back(domain);
  for (const auto domain : gone) door_.release(domain);
}

// Tree thread, which nobody else needs yet.
Result<void> TreeService::restore() {
  auto nodes = journal_->restore();
  if (!nodes) return pass_on(nodes);
  if (*nodes > 0) log::info("{} nodes of the tree were kept", *nodes);
  journal_->start();
  if (mode_ == TreeJournal::Mode::behind) asio::co_spawn(thread_.executor(), be_modest(), asio::detached);
  return {};
}

// Nobody waits for the journal then, so whoever else wants the processor goes before it.
asio::awaitable<void> TreeService::be_modest() {
  constexpr int niceness = 15;
  auto done = co_await journal_workers_.run<void>(
      []() -> Result<void> {
        if (::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness) != 0)
          return fail_errno(errno, "cannot lower the priority of the tree's journal");
        return {};
      },
      Deadline::in(std::chrono::seconds(10)));
  if (!done) log::warn("{}", done.error().message());
}

// Core thread. What was there and what comes reach the tree in one order.
void TreeService::follow() {
  const auto pass_on = [this](model::DomainViewPtr before, model::DomainViewPtr after) {
    asio::post(thread_.executor(),
               [this, before = std::move(before), after = std::move(after)] { guests_.changed(before, after); });
  };
  for (const auto& domain : host_.registry.all()) pass_on(nullptr, domain->view);
  host_.registry.observe([pass_on](const auto& before, const auto& after) { pass_on(before, after); });
}

Result<void> TreeService::listen(const std::filesystem::path& path, std::filesystem::perms mode) {
  return door_.listen(path, mode);
}

bool TreeService::drain(Deadline deadline) {
  stop_accepting();
  requests_.close();
  return requests_.wait_until_empty(deadline);
}

void TreeService::end() {
  if (journal_) {
    const auto deadline = Deadline::in(std::chrono::seconds(5));
    if (!asio::co_spawn(thread_.executor(), journal_->finish(deadline), asio::use_future).get())
      log::error("what was changed last in the tree is not kept: its file cannot be written");
  }
  thread_.end();
}

// Tree thread, within a commit.
void TreeService::ask(tree::DomainId id, const TreeGuests::Guest& guest, presence::Request request, std::string word) {
  auto pass = requests_.enter();
  if (!pass) return log::warn("guest '{}': no {}, as the tree was told: the daemon ends", guest.name, word);
  asio::co_spawn(
      host_.core,
      carry_out(this, std::move(*pass), id, {.uuid = guest.uuid, .name = guest.name}, request, std::move(word)),
      asio::detached);
}

asio::awaitable<void> TreeService::carry_out(TreeService* self, Gate::Pass pass, tree::DomainId id, core::DomainRef ref,
                                             presence::Request request, std::string word) {
  log::info("guest '{}': {}, as the tree was told", ref.name, word);
  Result<void> done;
  if (request == presence::Request::reboot)
    done = co_await core::reboot(self->host_, ref);
  else
    done = co_await core::shutdown(self->host_, ref);
  if (!done) log::error("guest '{}': {}, as the tree was told: {}", ref.name, word, done.error().message());
  asio::post(self->thread_.executor(),
             [self, pass = std::move(pass), id, word = std::move(word)] { self->guests_.acknowledge(id, word); });
}

void TreeService::note_figures() {
  const auto& total = store_.accounts().total();
  nodes_.store(static_cast<std::uint64_t>(total.nodes), std::memory_order_relaxed);
  bytes_.store(static_cast<std::uint64_t>(total.bytes), std::memory_order_relaxed);
  commits_.store(store_.figures().commits, std::memory_order_relaxed);
}

std::vector<doors::http::Counter> TreeService::counters() const {
  std::vector<doors::http::Counter> out;
  for (const auto& count : door_.counters()) out.push_back({"xenstore", count.name, count.value});
  out.push_back({"tree", "nodes", nodes_});
  out.push_back({"tree", "bytes", bytes_});
  out.push_back({"tree", "commits", commits_});
  if (journal_) {
    const auto journal = journal_->figures();
    out.push_back({"tree", "journal_batches", journal.batches});
    out.push_back({"tree", "journal_nodes", journal.nodes});
    out.push_back({"tree", "journal_failures", journal.failures});
    out.push_back({"tree", "journal_noted", journal.noted});
    out.push_back({"tree", "journal_held", journal.held});
  }
  return out;
}

}  // namespace vireo::daemon
