// The labeler: the security models in force, one on top of the other. A guest's labels are chosen by each of them; its
// files are labelled in that order, by a worker of a pool that does nothing else, and taken back in the reverse one.
// When one model fails, what the ones before it did is taken back. Guests share nothing here but the pool.
#pragma once

#include <memory>
#include <vector>

#include "base/credentials.hpp"
#include "base/workers.hpp"
#include "security/driver.hpp"

namespace vireo::security {

class Stack final : public ports::Labeler {
 public:
  // `as`: who guests run as where no model says otherwise; none: as the daemon itself.
  Stack(Workers& workers, std::vector<std::unique_ptr<Driver>> drivers, std::optional<Credentials> as);

  std::vector<ports::SecurityModel> models() const override;
  Result<ports::LabelClaim> choose(model::DomainDef& live) override;
  ports::LabelClaim inherit(const model::DomainDef& live) override;
  asio::awaitable<Result<void>> label(model::DomainDefPtr live, Deadline deadline) override;
  asio::awaitable<void> restore(model::DomainDefPtr live, Deadline deadline) override;
  asio::awaitable<Result<std::vector<model::FileAccess>>> explain(model::DomainDefPtr guest, bool runs,
                                                                  Deadline deadline) override;

 private:
  using Drivers = std::vector<std::unique_ptr<Driver>>;
  // What a worker has in hand; it may outlast the coroutine that waits for it.
  struct Job;

  const Driver* find(std::string_view model) const;

  Workers& workers_;
  const std::shared_ptr<const Drivers> drivers_;
  const Credentials as_;
};

}  // namespace vireo::security
