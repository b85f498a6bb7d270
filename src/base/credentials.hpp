// Another user of this host: who a guest's process is, and what that user can reach. May be used everywhere; asks the
// host's user database.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/error.hpp"

namespace vireo {

struct Credentials {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  // supplementary ones, as the user database has them
  std::string user;           // for messages

  bool operator==(const Credentials&) const = default;
};

// `group` empty: the user's own. Errors: VIR_ERR_CONF_SYNTAX, a sentence that names the user or group nobody knows.
Result<Credentials> credentials_of(const std::string& user, const std::string& group);

// Who a label like "qemu:kvm", "+107:+36" or "107:36" means: a name where there is such a user or group, else a number;
// with a plus always a number. Blocks (the user database may be a network's); for workers. Errors: VIR_ERR_INVALID_ARG,
// a sentence that says what is wrong with the label.
Result<Credentials> credentials_of_label(const std::string& label);

// "uid 64055 (vireo-qemu), gid 64055", for messages.
std::string describe(const Credentials& who);

// While it lives, the calling thread reaches files as that user would. For a process that may change users (root); for
// another it changes nothing. Other threads are not touched.
class ActAs {
 public:
  explicit ActAs(const Credentials& who);
  ActAs(const ActAs&) = delete;
  ActAs& operator=(const ActAs&) = delete;
  ~ActAs();

 private:
  bool changed_ = false;
  std::vector<gid_t> own_groups_;
};

// 0, or why that user cannot reach the path so (R_OK | W_OK | X_OK, unistd.h): an errno.
int try_access(const Credentials& who, const std::string& path, int mode);

}  // namespace vireo
