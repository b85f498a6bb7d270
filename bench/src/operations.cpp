// The operations, one function each. See operations.hpp.
#include "operations.hpp"

#include <cstdlib>

namespace vireo::bench {
namespace {

Result<void> check(bool ok, const char* what) {
  if (!ok) return last_error(what);
  return {};
}

Result<void> connect(Server& s) {
  const Connection c(virConnectOpen(s.uri.c_str()));
  return check(c != nullptr, "connect");
}

Result<void> version(Server& s) {
  unsigned long number = 0;
  return check(virConnectGetVersion(s.connection.get(), &number) == 0, "version");
}

Result<void> list(Server& s) {
  virDomainPtr* all = nullptr;
  const int count = virConnectListAllDomains(s.connection.get(), &all, 0);
  for (int i = 0; i < count; ++i) virDomainFree(all[i]);
  std::free(all);
  return check(count >= guests_defined, "list");
}

Result<void> lookup_by_id(Server& s) {
  const Guest g(virDomainLookupByID(s.connection.get(), static_cast<int>(virDomainGetID(s.running.get()))));
  return check(g != nullptr, "lookup by id");
}

Result<void> lookup_by_name(Server& s) {
  const Guest g(virDomainLookupByName(s.connection.get(), virDomainGetName(s.running.get())));
  return check(g != nullptr, "lookup by name");
}

Result<void> lookup_by_uuid(Server& s) {
  unsigned char uuid[VIR_UUID_BUFLEN];
  virDomainGetUUID(s.running.get(), uuid);
  const Guest g(virDomainLookupByUUID(s.connection.get(), uuid));
  return check(g != nullptr, "lookup by UUID");
}

Result<void> info(Server& s) {
  virDomainInfo filled;
  return check(virDomainGetInfo(s.running.get(), &filled) == 0, "info");
}

Result<void> state(Server& s) {
  int now = 0;
  int reason = 0;
  return check(virDomainGetState(s.running.get(), &now, &reason, 0) == 0, "state");
}

Result<void> xml(Server& s) {
  char* text = virDomainGetXMLDesc(s.running.get(), 0);
  const bool got = text != nullptr;
  std::free(text);
  return check(got, "XML");
}

Result<void> define_and_undefine(Server& s) {
  const Guest g(virDomainDefineXML(s.connection.get(), guest_xml(guests_defined).c_str()));
  if (!g) return last_error("define");
  return check(virDomainUndefine(g.get()) == 0, "undefine");
}

Result<void> start_and_destroy(Server& s) {
  if (virDomainCreateWithFlags(s.stopped.get(), VIR_DOMAIN_START_PAUSED) != 0) return last_error("start");
  return check(virDomainDestroy(s.stopped.get()) == 0, "destroy");
}

}  // namespace

const std::vector<Operation>& operations() {
  static const std::vector<Operation> all = {
      {.name = "connect + close", .rounds = 150, .batch = 1, .run = connect},
      {.name = "version", .rounds = 100, .batch = 20, .run = version},
      {.name = "list (20 guests)", .rounds = 100, .batch = 20, .run = list},
      {.name = "lookup by id", .rounds = 100, .batch = 20, .run = lookup_by_id},
      {.name = "lookup by name", .rounds = 100, .batch = 20, .run = lookup_by_name},
      {.name = "lookup by UUID", .rounds = 100, .batch = 20, .run = lookup_by_uuid},
      {.name = "info", .rounds = 100, .batch = 20, .run = info},
      {.name = "state", .rounds = 100, .batch = 20, .run = state},
      {.name = "XML of a running guest", .rounds = 100, .batch = 10, .run = xml},
      {.name = "define + undefine", .rounds = 60, .batch = 1, .run = define_and_undefine},
      {.name = "start + destroy, paused", .rounds = 11, .batch = 1, .run = start_and_destroy, .starts_qemu = true},
  };
  return all;
}

}  // namespace vireo::bench
