// The clients, the disasters, and the loop that decides who is next.
#include "tests/histories/driver.hpp"

#include <algorithm>

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
  std::optional<Moment> leaves_at;    // when it goes away, in the middle of that call
  std::shared_ptr<asio::cancellation_signal> gone;
};

// Some of the 64 that the checker takes are left for what comes last.
constexpr std::size_t most_calls = 56;

enum class Disaster { Kill, Stop, Death };

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
    around_.monitors_fail = trouble_.command > 0;
    clients_.resize(2U + static_cast<std::size_t>(dice_.below(3)));
    for (auto& client : clients_) {
      client.calls_left = 4 + dice_.below(5);
      client.next_at = time_.now() + dice_.span(5000);
    }
    for (int i = dice_.below(4); i > 0; --i)
      disasters_.emplace_back(dice_.below(250), dice_.one_in(3) ? Disaster::Stop : Disaster::Kill);
    for (int i = dice_.below(4); i > 0; --i) disasters_.emplace_back(dice_.below(250), Disaster::Death);
    std::ranges::sort(disasters_);
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
    if (kind >= Kind::LookupUuid) {
      read(kind, guest, name);
      client.next_at = time_.now() + dice_.span(4000);
      return;
    }
    client.asking = history_.size();
    if (!calm_ && dice_.one_in(10)) client.leaves_at = time_.now() + dice_.span(8000);
    client.gone = std::make_shared<asio::cancellation_signal>();
    history_.push_back({.kind = kind, .guest = guest, .name = name, .began = ++moment_});
    say("call {}: {}", history_.size() - 1, describe(history_.back()));
    asio::co_spawn(life_->executor(), perform(life_->host, kind, guest, name),
                   asio::bind_cancellation_slot(
                       client.gone->slot(), [this, &client](const std::exception_ptr& thrown, Reply reply) {
                         if (thrown) reply.error = Error{.code = VIR_ERR_OPERATION_ABORTED, .detail = "cancelled"};
                         hear(client, reply);
                       }));
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
    client.asking.reset();
    client.leaves_at.reset();
    client.next_at = time_.now() + dice_.span(4000);
    if (dice_.one_in(2) && history_.size() < most_calls) read(Kind::List, 0, 0);
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
    close_deaths();
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
        const auto process = alive[static_cast<std::size_t>(dice_.below(static_cast<int>(alive.size())))];
        say("u{} id {} dies", guest_of(process->uuid), process->id);
        deaths_.push_back(history_.size());
        history_.push_back({.kind = Kind::Death,
                            .guest = guest_of(process->uuid),
                            .id = process->id,
                            .answer = Answer::Ok,
                            .began = ++moment_});
        process->die(11);
        return;
      }
    }
  }

  void begin_life() {
    watcher_.life_began();
    life_.emplace(time_, around_, dice_, trouble_);
    last_ = before_ = nullptr;
  }

  void restart(const char* how) {
    say("the daemon is {}", how);
    stopping_ = false;
    for (auto& client : clients_) {
      if (!client.asking) continue;
      history_[*client.asking].ended = ++moment_;  // and its answer stays unknown
      client.asking.reset();
      client.leaves_at.reset();
      client.next_at = time_.now() + dice_.span(4000);
    }
    life_.reset();
    begin_life();
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
  std::vector<std::size_t> deaths_;  // that are not over
  std::uint64_t moment_ = 0;
  int turns_ = 0;
  bool stopping_ = false;
  std::shared_ptr<const model::HostVersion> last_, before_;
  std::optional<Life> life_;
};

}  // namespace

Verdict run_history(std::uint64_t seed, const RunOptions& options) { return Driver(seed, options).run(); }

}  // namespace vireo::tests
