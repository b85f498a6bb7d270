// One list of all operations: who may ask for them, and which function answers. The functions stand in a file for each
// family of operations (nodes.cpp, transactions.cpp …).
#pragma once

#include "doors/xenstore/client.hpp"

namespace vireo::doors::xenstore {

struct OperationRow {
  // Replies and returns 0, or returns the errno that is answered.
  int (*handler)(Client&, const Request&) = nullptr;
  bool privileged = false;           // for domain 0 only; EACCES to others
  bool ignores_transaction = false;  // whatever the header says of one
  bool ends_transaction = false;
};

// Null: no client may ask for that.
const OperationRow* find_operation(std::uint32_t number);

// Nodes. The paths are those of the payload.
int directory(Client& client, const Request& request);
int directory_part(Client& client, const Request& request);
int read(Client& client, const Request& request);
int write(Client& client, const Request& request);
int mkdir(Client& client, const Request& request);
int rm(Client& client, const Request& request);
int get_perms(Client& client, const Request& request);
int set_perms(Client& client, const Request& request);

// Transactions.
int transaction_start(Client& client, const Request& request);
int transaction_end(Client& client, const Request& request);

// Watches.
int watch(Client& client, const Request& request);
int unwatch(Client& client, const Request& request);
int reset_watches(Client& client, const Request& request);

// Domains.
int introduce(Client& client, const Request& request);
int release(Client& client, const Request& request);
int get_domain_path(Client& client, const Request& request);
int is_domain_introduced(Client& client, const Request& request);
int resume(Client& client, const Request& request);
int set_target(Client& client, const Request& request);
int get_feature(Client& client, const Request& request);
int set_feature(Client& client, const Request& request);

// Quotas.
int get_quota(Client& client, const Request& request);
int set_quota(Client& client, const Request& request);

// The daemon itself.
int control(Client& client, const Request& request);
void log_request(const Client& client, const Header& header, std::string_view payload);

}  // namespace vireo::doors::xenstore
