// Owners of files: while a guest runs, its images belong to the user that QEMU runs as; afterwards to whom they
// belonged before. Who that was, and which guests use the file, stands in an extended attribute of the file itself, so
// it survives the daemon, and guests that share an image give it back only with the last of them. Locks nothing but the
// file that it works on.
#pragma once

#include "base/credentials.hpp"
#include "base/workers.hpp"
#include "ports/labeler.hpp"

namespace vireo::security {

class DacLabeler final : public ports::Labeler {
 public:
  // `boot_id`: no guest outlives the host's boot, so what is remembered of another one is nobody's any more.
  DacLabeler(Workers& workers, Credentials user, std::string boot_id)
      : workers_(workers), user_(std::move(user)), boot_id_(std::move(boot_id)) {}

  asio::awaitable<Result<void>> label(model::DomainDefPtr live, Deadline deadline) override;
  asio::awaitable<void> restore(model::DomainDefPtr live, Deadline deadline) override;

 private:
  Workers& workers_;
  const Credentials user_;
  const std::string boot_id_;
};

}  // namespace vireo::security
