// The generated table against facts that can be checked by hand.
#include "doors/libvirt/procedure.hpp"

#include <gtest/gtest.h>
#include <libvirt/virterror.h>

namespace vireo::doors::libvirt {
namespace {

TEST(ProcedureTable, HoldsEveryProcedureInOrderOfNumber) {
  EXPECT_EQ(procedures_of(proc::remote_program).size(), 443u);
  EXPECT_EQ(procedures_of(proc::qemu_program).size(), 7u);
  EXPECT_EQ(procedures_of(proc::keepalive_program).size(), 2u);
  for (auto program : {proc::remote_program, proc::qemu_program, proc::keepalive_program})
    for (const auto& row : procedures_of(program)) {
      EXPECT_EQ(find_procedure(program, row.number), &row);
      EXPECT_EQ(row.program, program);
    }
}

TEST(ProcedureTable, HasNothingElse) {
  EXPECT_EQ(find_procedure(proc::remote_program, 0), nullptr);
  EXPECT_EQ(find_procedure(proc::remote_program, -1), nullptr);
  EXPECT_EQ(find_procedure(proc::remote_program, 444), nullptr);
  EXPECT_EQ(find_procedure(0x12345678, 1), nullptr);
}

TEST(ProcedureTable, KnowsARowsFacts) {
  const auto* console = find_procedure(proc::remote_program, static_cast<int>(proc::Remote::domain_open_console));
  ASSERT_NE(console, nullptr);
  EXPECT_EQ(console->name, "domain_open_console");
  EXPECT_EQ(console->api, "virDomainOpenConsole");
  EXPECT_EQ(console->args, "remote_domain_open_console_args");
  EXPECT_EQ(console->ret, "");
  EXPECT_EQ(console->acl, "domain:open_device");
  EXPECT_EQ(console->read_stream, 2);
  EXPECT_EQ(console->read_only, ReadOnly::refused);
  EXPECT_EQ(console->reported_by, VIR_FROM_DOMAIN);
  EXPECT_EQ(console->driver, "qemu");

  const auto* detach = find_procedure(proc::remote_program, static_cast<int>(proc::Remote::node_device_dettach));
  ASSERT_NE(detach, nullptr);
  EXPECT_EQ(detach->api, "virNodeDeviceDettach");
  EXPECT_EQ(detach->reported_by, VIR_FROM_NODEDEV);

  const auto* event = find_procedure(proc::remote_program, static_cast<int>(proc::Remote::domain_event_lifecycle));
  ASSERT_NE(event, nullptr);
  EXPECT_TRUE(event->is_event());
  EXPECT_EQ(event->api, "");

  const auto* xml = find_procedure(proc::remote_program, static_cast<int>(proc::Remote::domain_get_xml_desc));
  EXPECT_EQ(xml->read_only, ReadOnly::depends);
}

TEST(ProcedureTable, EveryCallThatAClientCanMakeHasAPublicName) {
  for (auto program : {proc::remote_program, proc::qemu_program})
    for (const auto& row : procedures_of(program)) {
      if (row.read_only != ReadOnly::no_call) EXPECT_FALSE(row.api.empty()) << row.name;
    }
}

}  // namespace
}  // namespace vireo::doors::libvirt
