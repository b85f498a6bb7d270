// The clients, the disasters, and the loop that decides who is next.
#include "tests/histories/driver.hpp"

#include <algorithm>
#include <map>

#include "tests/histories/linearize.hpp"
#include "tests/histories/perform.hpp"
#include "tests/histories/watcher.hpp"

namespace vireo::tests {
namespace {

using Moment = SteadyClock::time_point;

struct Client {
  int calls_left = 0;
  Moment next_at;                     // when it asks for the next thing
  std::optional<std::size_t> asking;  // its call under way
  std::vector<std::size_t> batch;     // if that is a batch: a start of each guest
  bool all_or_nothing = false;
  std::optional<Moment> leaves_at;  // when it goes away, in the middle of that call
  std::shared_ptr<asio::cancellation_signal> gone;
};

// What the checker takes; and what a batch and a reboot may add, beyond the one call of a client.
constexpr std::size_t most_calls = 64, of_a_batch = 2 * guests - 1, of_a_reboot = 2 * guests, at_the_end = 2;

enum class Disaster { Kill, Stop, Death, Reboot };

class Driver {
 public:
  Driver(std::uint64_t seed, const RunOptions& options) : dice_(seed), options_(options) { plan(); }

  Verdict run() {
    begin_life();
    while (watcher_.problems().empty() && step()) {
    }
    if (watcher_.problems().empty()) finish();
    life_.reset();
    if (watcher_.problems().empty() && !linearizable(history_))
      watcher_.complain("no order of the calls explains the answers");
    return {.problems = watcher_.problems(), .history = std::move(history_)};
  }

 private:
  // A quarter of the histories has no trouble but deaths and restarts: nothing may fail there without a reason.
  void plan() {
    calm_ = dice_.one_in(4);
    if (!calm_)
      trouble_ = {
          .commit = pick(), .spawn = pick(), .handshake = pick(), .command = pick(), .label = pick(), .folder = pick()};
    trouble_.adopt = pick();
    trouble_.commit_lost = options_.lying_disk ? 3 : 0;
    pauses_ = dice_.one_in(2);
    around_.may_pause = trouble_.command > 0 || pauses_;
    clients_.resize(2U + static_cast<std::size_t>(dice_.below(3)));
    for (auto& client : clients_) {
      client.calls_left = 4 + dice_.below(5);
      client.next_at = time_.now() + dice_.span(5000);
    }
    for (int i = dice_.below(4); i > 0; --i)
      disasters_.emplace_back(dice_.below(250), dice_.one_in(3) ? Disaster::Stop : Disaster::Kill);
    for (int i = dice_.below(4); i > 0; --i) disasters_.emplace_back(dice_.below(250), Disaster::Death);
    if (dice_.one_in(2)) disasters_.emplace_back(50 + dice_.below(200), Disaster::Reboot);
    std::ranges::sort(disasters_);
  }
  // Calls that may still come into the history, but for those under way and for lists.
  std::size_t to_come() const {
    std::size_t calls = at_the_end + batches_left_ * of_a_batch;
    for (const auto& client : clients_)
      calls += static_cast<std::size_t>(client.calls_left) + (client.all_or_nothing ? client.batch.size() : 0);
    for (const auto& disaster : disasters_)
      calls += disaster.second == Disaster::Death ? 1 : disaster.second == Disaster::Reboot ? of_a_reboot : 0;
    return calls;
  }
  int pick() { return dice_.one_in(2) ? 0 : 6 + dice_.below(20); }

  template <class... T>
  void say(fmt::format_string<T...> format, T&&... values) {
    if (!options_.print) return;
    fmt::print("{:>9} us  ", std::chrono::duration_cast<std::chrono::microseconds>(time_.now() - born_).count());
    fmt::print(format, std::forward<T>(values)...);
    fmt::print("\n");
  }

  // One thing happens. False: nothing is left to happen.
  bool step() {
    if (++turns_ > 50'000) {
      watcher_.complain("the host does not come to rest");
      return false;
    }
    if (!disasters_.empty() && disasters_.front().first <= turns_) {
      const auto disaster = disasters_.front().second;
      disasters_.erase(disasters_.begin());
      strike(disaster);
      return true;
    }
    if (stopping_ && std::ranges::none_of(clients_, [](const Client& c) { return c.asking.has_value(); })) {
      life_->finish();
      restart("ended");
      return true;
    }
    if (life_->turn()) {
      look();
      close_autostarts();
      // Somebody comes between two steps of the core.
      if (dice_.one_in(8))
        if (auto* client = who_is_next()) act(*client);
      return true;
    }
    auto* client = who_is_next();
    const auto wait = time_.next();
    if (client && (!wait || moment_of(*client) <= *wait)) {
      time_.pass_to(moment_of(*client));
      act(*client);
      return true;
    }
    if (wait) time_.step();
    return wait.has_value();
  }

  static Moment moment_of(const Client& client) { return client.asking ? *client.leaves_at : client.next_at; }

  Client* who_is_next() {
    if (!life_->ready()) return nullptr;
    Client* next = nullptr;
    for (auto& client : clients_) {
      const bool may = client.asking ? client.leaves_at.has_value() : !stopping_ && client.calls_left > 0;
      if (may && (!next || moment_of(client) < moment_of(*next))) next = &client;
    }
    return next;
  }

  void act(Client& client) {
    if (client.asking) {
      say("the client of call {} goes away", *client.asking);
      client.leaves_at.reset();
      // In a later turn, as from a door: a coroutine that has not begun must not be cancelled.
      asio::post(life_->executor(), [gone = client.gone] { gone->emit(asio::cancellation_type::terminal); });
      return;
    }
    --client.calls_left;
    if (batches_left_ > 0 && dice_.one_in(at_rest() > 1 ? 2 : 16)) return begin_batch(client);
    static constexpr Kind kinds[] = {Kind::Define,  Kind::Define,   Kind::Define, Kind::Create,     Kind::Create,
                                     Kind::Start,   Kind::Start,    Kind::Start,  Kind::Destroy,    Kind::Destroy,
                                     Kind::Destroy, Kind::Undefine, Kind::Rename, Kind::Rename,     Kind::Undefine,
                                     Kind::List,    Kind::LookupId, Kind::Start,  Kind::LookupName, Kind::LookupUuid};
    Kind kind = kinds[static_cast<std::size_t>(dice_.below(std::size(kinds)))];
    const int guest = dice_.below(guests), name = dice_.below(names);
    // Little is learnt from what is asked of guests that are not there, or that never run.
    const auto state = last_state().at(static_cast<std::size_t>(guest));
    if (kind < Kind::LookupUuid && !state.exists() && !dice_.one_in(4))
      kind = dice_.one_in(3) ? Kind::Create : Kind::Define;
    else if (kind < Kind::LookupUuid && kind != Kind::Rename && state.exists() && !state.active() && !dice_.one_in(3))
      kind = Kind::Start;
    if (pauses_ && kind < Kind::LookupUuid && state.active() && dice_.one_in(2))
      kind = dice_.one_in(4) != is_paused(guest) ? Kind::Resume : Kind::Suspend;
    if (kind >= Kind::LookupUuid) {
      read(kind, guest, name);
      client.next_at = time_.now() + dice_.span(4000);
      return;
    }
    begin_call(client);
    history_.push_back({.kind = kind, .guest = guest, .name = name, .began = ++moment_});
    say("call {}: {}", history_.size() - 1, describe(history_.back()));
    asio::co_spawn(life_->executor(), perform(life_->host, kind, guest, name),
                   asio::bind_cancellation_slot(
                       client.gone->slot(), [this, &client](const std::exception_ptr& thrown, Reply reply) {
                         if (thrown) reply.error = Error{.code = VIR_ERR_OPERATION_ABORTED, .detail = "cancelled"};
                         hear(client, reply);
                       }));
  }

  // Guests that could be started.
  std::ptrdiff_t at_rest() const {
    return std::ranges::count_if(last_state(), [](const GuestState& g) { return g.exists() && !g.active(); });
  }

  bool is_paused(int guest) const {
    const auto version = life_->host.registry.versions().snapshot();
    const auto* view = version->by_uuid.find(uuid_of(guest));
    return view && (*view)->state == VIR_DOMAIN_PAUSED;
  }

  void begin_call(Client& client) {
    client.asking = history_.size();
    if (!calm_ && dice_.one_in(10)) client.leaves_at = time_.now() + dice_.span(8000);
    client.gone = std::make_shared<asio::cancellation_signal>();
  }

  void begin_batch(Client& client) {
    --batches_left_;
    BatchCall batch{.guests = {}, .options = {}};
    batch.options.all_or_nothing = dice_.one_in(2);
    batch.options.parallel = dice_.one_in(2) ? 1 : 0;
    const int left_out = dice_.below(guests);
    if (dice_.one_in(2))
      for (int guest = 0; guest < guests; ++guest)
        if (guest != left_out) batch.guests.push_back(guest);
    begin_call(client);
    client.all_or_nothing = batch.options.all_or_nothing;
    const auto began = ++moment_;
    for (int guest = 0; guest < guests; ++guest) {
      if (!batch.guests.empty() && guest == left_out) continue;
      client.batch.push_back(history_.size());
      history_.push_back({.kind = Kind::Start, .guest = guest, .began = began});
    }
    say("calls {} to {}: a batch{}", client.batch.front(), client.batch.back(),
        client.all_or_nothing ? ", all or nothing" : "");
    asio::co_spawn(life_->executor(), perform_batch(life_->host, std::move(batch)),
                   asio::bind_cancellation_slot(client.gone->slot(), [this, &client](const std::exception_ptr& thrown,
                                                                                     auto results) {
                     hear_batch(client, thrown || !results ? std::vector<core::BatchResult>{} : std::move(*results));
                   }));
  }

  // What became of one guest of a batch, as calls of their own.
  void tell(Call& call, const core::BatchResult& result) {
    using Outcome = core::BatchResult::Outcome;
    call.answer = Answer::Ok;
    call.id = result.id;
    if (result.error) call.said = result.error->detail;
    const bool lived = result.id != no_id;
    switch (result.outcome) {
      case Outcome::Started:
        return;
      case Outcome::AlreadyRunning:
        call.answer = Answer::Refused;
        return;
      case Outcome::NotBegun:
        call.kind = Kind::Nothing;
        return;
      case Outcome::Failed:
        if (!lived) {
          call.answer = answer_of(Kind::Start, {.error = result.error});
          if (calm_ && call.answer == Answer::Failed && !has_reason(*result.error))
            watcher_.complain("a start of a batch failed without a reason: " + call.said);
          return;
        }
        [[fallthrough]];
      case Outcome::Undone: {
        const auto seen = seen_at_.find(result.id);
        if (seen == seen_at_.end()) {  // it never was, for anybody
          call.kind = Kind::Nothing;
          return;
        }
        Call undo = call;
        undo.kind = Kind::Undo;
        undo.answer = result.outcome == Outcome::Undone ? Answer::Ok : Answer::Unknown;
        undo.began = seen->second + 1;
        call.ended = seen->second;
        undone_.push_back(undo);
        return;
      }
    }
  }

  void hear_batch(Client& client, const std::vector<core::BatchResult>& results) {
    const auto ended = ++moment_;
    for (const auto index : client.batch) {
      Call& call = history_[index];
      call.ended = ended;
      const auto mine = std::ranges::find(results, uuid_of(call.guest), [](const core::BatchResult& result) {
        return result.error && result.error->code == VIR_ERR_NO_DOMAIN && result.domain.uuid == Uuid{}
                   ? Uuid::parse(result.domain.name).value_or(Uuid{})  // a guest that was not there
                   : result.domain.uuid;
      });
      if (mine == results.end())
        call.kind = Kind::Nothing;
      else
        tell(call, *mine);
      say("call {}: {}", index, describe(call));
    }
    for (auto& call : std::exchange(undone_, {})) {
      call.ended = ended;
      say("{}", describe(call));
      history_.push_back(std::move(call));
    }
    over(client);
  }

  // The client's call has ended.
  void over(Client& client) {
    client.asking.reset();
    client.leaves_at.reset();
    client.batch.clear();
    client.all_or_nothing = false;
    client.next_at = time_.now() + dice_.span(4000);
  }

  HostState last_state() const { return state_of(*life_->host.registry.versions().snapshot()); }

  void hear(Client& client, const Reply& reply) {
    Call& call = history_[*client.asking];
    call.ended = ++moment_;
    call.answer = answer_of(call.kind, reply);
    if (reply.error) call.said = reply.error->detail;
    if (!reply.error) call.id = reply.id;
    say("call {}: {}", *client.asking, describe(call));
    if (calm_ && call.answer == Answer::Failed && !has_reason(*reply.error))
      watcher_.complain("a call failed without a reason: " + call.said);
    over(client);
    if (dice_.one_in(2) && history_.size() + to_come() < most_calls) read(Kind::List, 0, 0);
  }

  // What makes a call fail even where nothing goes wrong.
  static bool has_reason(const Error& error) {
    return error.code == VIR_ERR_RESOURCE_BUSY ||       // the disk image
           error.code == VIR_ERR_CONFIG_UNSUPPORTED ||  // the port
           error.detail.find("while it was being started") != std::string::npos ||
           error.detail.find("no longer running") != std::string::npos ||
           error.detail.find("has not answered since") != std::string::npos;
  }

  // Lookups and lists take no time: they are answered from the published version where they stand.
  void read(Kind kind, int guest, int name) {
    const auto now = life_->host.registry.versions().snapshot();
    const auto& version = options_.stale_reads && before_ && dice_.one_in(3) ? before_ : now;
    Call call{.kind = kind, .guest = guest, .name = name, .answer = Answer::Ok, .began = ++moment_, .ended = moment_};
    const auto state = state_of(*version);
    if (kind == Kind::List) {
      call.seen = state;
    } else {
      const model::DomainViewPtr* view = nullptr;
      if (kind == Kind::LookupUuid) view = version->by_uuid.find(uuid_of(guest));
      if (kind == Kind::LookupName) view = version->by_name.find(name_of(name));
      if (kind == Kind::LookupId) {
        call.id = 1 + dice_.below(20);
        view = version->by_id.find(call.id);
      }
      if (view) {
        call.guest = guest_of((*view)->uuid);
        call.found = state.at(static_cast<std::size_t>(call.guest));
      }
    }
    history_.push_back(call);
    say("{}", describe(call));
  }

  void look() {
    watcher_.look(life_->host, life_->ready());
    const auto version = life_->host.registry.versions().snapshot();
    if (version == last_) return;
    before_ = std::exchange(last_, version);
    say("now {}", describe(state_of(*version)));
    version->by_id.for_each([&](int id, const model::DomainViewPtr&) {
      // The moment after it belongs to it, too.
      if (seen_at_.try_emplace(id, moment_ + 1).second) moment_ += 2;
    });
    close_deaths();
  }

  // What was to start with the host has started or failed.
  void close_autostarts() {
    if (!autostarts_.empty() && life_ && !life_->autostarted()) return;
    for (const auto index : std::exchange(autostarts_, {})) history_[index].ended = ++moment_;
  }

  // A death is over for everybody once the guest is not published as running any more.
  void close_deaths() {
    if (!life_->ready()) return;
    const auto version = life_->host.registry.versions().snapshot();
    std::erase_if(deaths_, [&](std::size_t index) {
      Call& call = history_[index];
      if (!watcher_.has_seen(call.id) || version->by_id.find(call.id)) return false;
      call.ended = ++moment_;
      return true;
    });
  }

  void strike(Disaster disaster) {
    switch (disaster) {
      case Disaster::Kill:
        return restart("killed");
      case Disaster::Stop:
        say("the daemon is told to end");
        stopping_ = true;
        return;
      case Disaster::Death: {
        const auto& alive = around_.world->processes();
        if (alive.empty()) {  // another time
          if (turns_ < 500) disasters_.emplace_back(turns_ + 20, Disaster::Death);
          return;
        }
        die(alive[static_cast<std::size_t>(dice_.below(static_cast<int>(alive.size())))]);
        return;
      }
      case Disaster::Reboot:
        return reboot();
    }
  }

  void die(const sim::ProcessPtr& process) {
    say("u{} id {} dies", guest_of(process->uuid), process->id);
    deaths_.push_back(history_.size());
    history_.push_back({.kind = Kind::Death,
                        .guest = guest_of(process->uuid),
                        .id = process->id,
                        .answer = Answer::Ok,
                        .began = ++moment_});
    process->die(11);
  }

  // The host goes down and comes up again: nothing but the disk is left, and marked guests start with it.
  void reboot() {
    cut_off("the host is rebooted");
    life_.reset();
    for (const auto alive = around_.world->processes(); const auto& process : alive) die(process);
    around_.rows.boot_id = "an earlier boot";
    for (auto& [uuid, row] : around_.rows.definitions) {
      row.autostart = dice_.one_in(2);
      if (!row.autostart) continue;
      autostarts_.push_back(history_.size());
      history_.push_back({.kind = Kind::Start, .guest = guest_of(uuid), .began = ++moment_});
    }
    begin_life();
  }

  void begin_life() {
    watcher_.life_began();
    life_.emplace(time_, around_, dice_, trouble_);
    last_ = before_ = nullptr;
  }

  void restart(const std::string& how) {
    cut_off("the daemon is " + how);
    life_.reset();
    begin_life();
  }

  // Whatever is under way ends here, and its answers stay unknown.
  void cut_off(const std::string& why) {
    say("{}", why);
    stopping_ = false;
    for (auto& client : clients_) {
      if (!client.asking) continue;
      const auto ended = ++moment_;
      history_[*client.asking].ended = ended;
      for (const auto index : client.batch) {
        history_[index].ended = ended;
        if (!client.all_or_nothing) continue;
        Call undo = history_[index];
        undo.kind = Kind::Undo;
        history_.push_back(undo);
      }
      over(client);
    }
    for (const auto index : std::exchange(autostarts_, {})) history_[index].ended = ++moment_;
  }

  // All calls are answered: nothing may be left, and the next daemon must find everything as it was.
  void finish() {
    disasters_.clear();
    for (int again = 0; again < 2 && watcher_.problems().empty(); ++again) {
      if (again > 0) restart("killed at rest");
      while (watcher_.problems().empty() && step()) {
      }
      look();
      close_deaths();
      if (!watcher_.problems().empty()) return;
      read(Kind::List, 0, 0);
      watcher_.look_at_rest(life_->host, around_, time_);
    }
    for (const auto index : deaths_) history_[index].ended = ++moment_;
  }

  VirtualTime time_;
  const Moment born_ = time_.now();
  Dice dice_;
  const RunOptions options_;
  bool calm_ = false;
  Trouble trouble_;
  Surroundings around_;
  Watcher watcher_;
  std::vector<Client> clients_;
  std::vector<std::pair<int, Disaster>> disasters_;  // after so many turns
  History history_;
  std::vector<std::size_t> deaths_, autostarts_;  // that are not over
  std::map<int, std::uint64_t> seen_at_;          // when each life was first published
  std::vector<Call> undone_;
  std::size_t batches_left_ = 3;
  bool pauses_ = false;
  std::uint64_t moment_ = 0;
  int turns_ = 0;
  bool stopping_ = false;
  std::shared_ptr<const model::HostVersion> last_, before_;
  std::optional<Life> life_;
};

}  // namespace

Verdict run_history(std::uint64_t seed, const RunOptions& options) { return Driver(seed, options).run(); }

}  // namespace vireo::tests
