// start: the persistent definition becomes a running guest.
#include "core/run/run.hpp"
#include "core/verbs/enter.hpp"

namespace vireo::core {

asio::awaitable<Result<model::DomainViewPtr>> start(Host& host, DomainRef ref, StartOptions options) {
  auto recorder = std::make_shared<ports::LaunchRecorder>();
  recorder->begin("lane");
  auto entered = co_await enter(host, ref, Verb::Start);
  if (!entered) co_return pass_on(entered);
  const auto& domain = entered->domain;
  auto up = co_await bring_up(host, domain, domain->view->persistent, options, recorder);
  if (!up) co_return pass_on(up);
  if (!domain->view) co_return no_such_domain(ref);
  co_return domain->view;
}

}  // namespace vireo::core
