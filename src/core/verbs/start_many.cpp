// start_many: a batch is a list of guests and a few coroutines that take one after the other from its front: one for
// each guest, unless the batch is limited. Each guest's start is a coroutine of its own that can be cancelled alone.
#include "core/verbs/start_many.hpp"

#include <deque>
#include <unordered_set>

#include "base/log.hpp"
#include "model/glob.hpp"

namespace vireo::core {
namespace {

using Outcome = BatchResult::Outcome;

struct Item {
  BatchResult result;
  std::shared_ptr<Launching> launching = std::make_shared<Launching>();
  asio::cancellation_signal cancel;  // of the start
  bool begun = false;                // only now may the signal be given

  // For its lane, its images or admission.
  bool waits() const { return begun && !launching->admitted; }
};

struct Batch {
  Batch(Host& h, BatchOptions o) : host(h), options(o), idle(std::make_unique<Wake>(h.core)) {}

  Host& host;
  const BatchOptions options;
  bool named = false;      // that one runs already is its failure
  std::deque<Item> items;  // which stay where they are
  std::size_t next = 0;    // the first that nobody has taken
  std::size_t at_work = 0;
  bool stopped = false;        // nothing more is begun
  std::unique_ptr<Wake> idle;  // fired when nobody is at work

  void add(DomainRef ref) { items.emplace_back().result.domain = std::move(ref); }
  void leave() {
    if (--at_work == 0) idle->fire();
  }
  bool whole() const {
    return std::ranges::all_of(items, [](const Item& item) { return item.result.good(); });
  }
};
using BatchPtr = std::shared_ptr<Batch>;

// Nothing more is begun, and what waits is cancelled. `give_up`: what is being launched is taken back, too.
void stop(Batch& batch, bool give_up) {
  batch.stopped = true;
  for (auto& item : batch.items) {
    if (!item.begun) continue;
    if (item.waits())
      item.cancel.emit(asio::cancellation_type::terminal);
    else if (give_up)
      item.launching->give_up();
  }
}

asio::awaitable<Result<model::DomainViewPtr>> begin_start(Batch& batch, Item& item) {
  item.begun = true;
  // However long the line, everybody in it may take the launch timeout; that is the bound of a wait that has no other.
  const auto in_line = Deadline::in(batch.host.settings.launch_timeout *
                                    static_cast<std::chrono::milliseconds::rep>(batch.items.size()));
  StartOptions options{.paused = batch.options.paused, .admission = in_line, .launching = item.launching};
  co_return co_await start(batch.host, item.result.domain, std::move(options));
}

void judge(Batch& batch, Item& item, Result<model::DomainViewPtr> started) {
  auto& result = item.result;
  result.at = SteadyClock::now();
  if (started) {
    result.outcome = Outcome::Started;
    result.id = (*started)->id;
    return;
  }
  auto& error = started.error();
  if (batch.stopped && item.launching->given_up) {
    result.outcome = Outcome::Undone;
    return;
  }
  if (batch.stopped && error.code == VIR_ERR_OPERATION_ABORTED) return;
  const auto domain = batch.host.registry.find(result.domain.uuid);
  const bool runs = error.code == VIR_ERR_OPERATION_INVALID && domain && domain->view->active();
  result.outcome = runs ? Outcome::AlreadyRunning : Outcome::Failed;
  if (!runs || batch.named) result.error = std::move(error);
}

asio::awaitable<void> start_one(Batch& batch, Item& item) {
  Result<model::DomainViewPtr> started;
  try {
    started = co_await asio::co_spawn(batch.host.core, begin_start(batch, item),
                                      asio::bind_cancellation_slot(item.cancel.slot(), asio::use_awaitable));
  } catch (const boost::system::system_error&) {  // how a cancelled coroutine ends
    started = fail(VIR_ERR_OPERATION_ABORTED, "the start of domain '" + item.result.domain.name + "' was cancelled");
  } catch (const std::exception& e) {
    started = fail(VIR_ERR_INTERNAL_ERROR, e.what());
  }
  item.begun = false;
  judge(batch, item, std::move(started));
  if (batch.options.all_or_nothing && !item.result.good() && !batch.stopped) stop(batch, true);
}

asio::awaitable<void> take_from_front(BatchPtr batch) {
  // Each begins in a turn of its own, so that a long list does not keep the core thread from others.
  co_await asio::post(batch->host.core, asio::use_awaitable);
  while (!batch->stopped && batch->next < batch->items.size()) {
    auto& item = batch->items[batch->next++];
    if (!item.result.error) co_await start_one(*batch, item);
  }
  batch->leave();
}

// Ends the life that the batch began, unless it has ended already.
asio::awaitable<void> undo_one(BatchPtr batch, Item& item) {
  auto& result = item.result;
  const auto domain = batch->host.registry.find(result.domain.uuid);
  const auto run = domain ? domain->run : nullptr;
  if (run && run->id == result.id) {
    auto ended = co_await destroy(batch->host, result.domain, false);
    if (!ended && domain->run == run) {
      log::error("guest '{}' was to be ended again: {}", result.domain.name, ended.error().message());
      result.outcome = Outcome::Failed;
      result.error = std::move(ended.error());
      batch->leave();
      co_return;
    }
  }
  result.outcome = Outcome::Undone;
  batch->leave();
}

// What waits here may be cancelled: then those that wait to be started are.
asio::awaitable<void> wait_until_done(BatchPtr batch) {
  co_await asio::this_coro::throw_if_cancelled(false);
  bool gone = false;
  while (batch->at_work > 0) {
    const auto caller = co_await asio::this_coro::cancellation_state;
    if (!gone && caller.cancelled() != asio::cancellation_type::none) {
      gone = true;
      co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
      const bool some_wait = batch->next < batch->items.size() ||
                             std::ranges::any_of(batch->items, [](const Item& i) { return i.waits(); });
      stop(*batch, batch->options.all_or_nothing && some_wait);
    }
    // Whatever it waits for has a deadline of its own.
    co_await batch->idle->wait(Deadline::in(batch->host.settings.launch_timeout));
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
}

asio::awaitable<void> undo_all(BatchPtr batch) {
  Batch& b = *batch;
  b.idle = std::make_unique<Wake>(b.host.core);
  std::vector<Item*> started;
  for (auto& item : b.items)
    if (item.result.outcome == Outcome::Started) started.push_back(&item);
  b.at_work = started.size();
  for (auto* item : started) asio::co_spawn(b.host.core, undo_one(batch, *item), asio::detached);
  // Each has the deadline of a destroy.
  while (b.at_work > 0) co_await b.idle->wait(Deadline::in(b.host.settings.end_timeout));
}

asio::awaitable<std::vector<BatchResult>> carry_out(BatchPtr batch) {
  const auto count = batch->items.size();
  const std::size_t limit = batch->options.parallel;
  // A name that nobody has fails before anything is begun.
  if (batch->options.all_or_nothing &&
      std::ranges::any_of(batch->items, [](const Item& i) { return i.result.error.has_value(); }))
    batch->stopped = true;
  batch->at_work = batch->stopped ? 0 : limit == 0 ? count : std::min(count, limit);
  for (std::size_t i = batch->at_work; i > 0; --i)
    asio::co_spawn(batch->host.core, take_from_front(batch), asio::detached);
  co_await wait_until_done(batch);
  if (batch->options.all_or_nothing && !batch->whole()) co_await undo_all(batch);
  std::vector<BatchResult> results;
  results.reserve(count);
  for (auto& item : batch->items) results.push_back(std::move(item.result));
  co_return results;
}

std::vector<DomainRef> fitting(const model::HostVersion& version, const std::string& pattern) {
  std::vector<DomainRef> fit;
  version.by_name.for_each([&](const auto&, const model::DomainViewPtr& view) {
    if (!view->active() && model::glob_matches(pattern, view->name))
      fit.push_back({.uuid = view->uuid, .name = view->name});
  });
  std::ranges::sort(fit, {}, &DomainRef::name);
  return fit;
}

void add_named(Batch& batch, const std::vector<std::string>& named) {
  const auto version = batch.host.registry.versions().snapshot();
  std::unordered_set<std::string> unknown;
  std::unordered_set<Uuid> known;
  for (const auto& key : named) {
    const auto uuid = Uuid::parse(key);
    const auto* found = uuid ? version->by_uuid.find(*uuid) : nullptr;
    if (!found) found = version->by_name.find(key);
    if (found) {
      if (known.insert((*found)->uuid).second) batch.add({.uuid = (*found)->uuid, .name = (*found)->name});
    } else if (unknown.insert(key).second) {
      batch.add({.uuid = {}, .name = key});
      auto& result = batch.items.back().result;
      result.outcome = Outcome::Failed;
      result.error = Error{.code = VIR_ERR_NO_DOMAIN, .detail = "no domain with UUID or name '" + key + "'"};
      result.at = SteadyClock::now();
    }
  }
}

}  // namespace

asio::awaitable<Result<std::vector<BatchResult>>> start_many(Host& host, BatchGuests guests, BatchOptions options) {
  // A caller that goes is noticed where the batch waits, so that results are whole whenever that is.
  co_await asio::this_coro::throw_if_cancelled(false);
  auto batch = std::make_shared<Batch>(host, options);
  if (guests.pattern) {
    auto version = host.registry.versions().snapshot();
    std::move_only_function<Result<std::vector<DomainRef>>()> choose =
        [version = std::move(version), pattern = *guests.pattern] { return fitting(*version, pattern); };
    auto chosen =
        co_await host.files.run<std::vector<DomainRef>>(std::move(choose), Deadline::in(host.settings.lane_timeout));
    if (!chosen) co_return pass_on(chosen);
    for (auto& ref : *chosen) batch->add(std::move(ref));
  } else {
    batch->named = true;
    add_named(*batch, guests.named);
  }
  co_return co_await carry_out(std::move(batch));
}

asio::awaitable<std::vector<BatchResult>> start_these(Host& host, std::vector<DomainRef> guests, BatchOptions options) {
  auto batch = std::make_shared<Batch>(host, options);
  for (auto& ref : guests) batch->add(std::move(ref));
  co_return co_await carry_out(std::move(batch));
}

}  // namespace vireo::core
