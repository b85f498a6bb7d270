// The codec against recordings of a real client and a real daemon (tests/golden/wire, made by tools/record-wire): every
// payload decodes as the structure that the table names, and encodes to the same bytes again.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/procedure.hpp"
#include "doors/libvirt/protocol/structs.hpp"
#include "doors/libvirt/xdr.hpp"

namespace vireo::doors::libvirt {
namespace {

struct Recorded {
  bool from_client = false;
  Header header;
  Bytes payload;
};

std::vector<Recorded> recording(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Recorded> out;
  std::string mark, digits;
  while (file >> mark >> digits) {
    Bytes bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
      bytes.push_back(static_cast<std::byte>(std::stoi(digits.substr(i, 2), nullptr, 16)));
    FrameReader reader;
    for (std::size_t at = 0; at < bytes.size();) {
      auto space = reader.space();
      const auto size = std::min(space.size(), bytes.size() - at);
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), size, space.begin());
      reader.received(size);
      at += size;
    }
    auto frame = reader.next();
    EXPECT_TRUE(frame) << path;
    if (frame) out.push_back({mark == ">", frame->header, Bytes(frame->payload.begin(), frame->payload.end())});
  }
  return out;
}

std::vector<Recorded> all_recordings() {
  std::vector<Recorded> out;
  for (const auto& entry : std::filesystem::directory_iterator(VIREO_SOURCE_DIR "/tests/golden/wire"))
    for (auto& frame : recording(entry.path())) out.push_back(std::move(frame));
  return out;
}

using Again = std::optional<Bytes> (*)(std::span<const std::byte>);

template <class T>
std::optional<Bytes> again(std::span<const std::byte> bytes) {
  auto value = xdr::decode<T>(bytes);
  if (!value) return std::nullopt;
  return *xdr::encode(*value);
}

// The structures that the recordings contain; a new recording may need a new line.
const std::map<std::string_view, Again>& structures() {
#define VIREO_STRUCTURE(name) {#name, &again<wire::name>}
  static const std::map<std::string_view, Again> all = {
      {"", &again<Nothing>},
      VIREO_STRUCTURE(remote_auth_list_ret),
      VIREO_STRUCTURE(remote_connect_open_args),
      VIREO_STRUCTURE(remote_connect_supports_feature_args),
      VIREO_STRUCTURE(remote_connect_supports_feature_ret),
      VIREO_STRUCTURE(remote_domain_lookup_by_name_args),
      VIREO_STRUCTURE(remote_domain_lookup_by_name_ret),
      VIREO_STRUCTURE(remote_domain_get_state_args),
      VIREO_STRUCTURE(remote_domain_get_state_ret),
      VIREO_STRUCTURE(remote_domain_get_info_args),
      VIREO_STRUCTURE(remote_domain_get_info_ret),
      VIREO_STRUCTURE(remote_domain_get_os_type_args),
      VIREO_STRUCTURE(remote_domain_get_os_type_ret),
      VIREO_STRUCTURE(remote_domain_get_autostart_args),
      VIREO_STRUCTURE(remote_domain_get_autostart_ret),
      VIREO_STRUCTURE(remote_domain_get_max_vcpus_args),
      VIREO_STRUCTURE(remote_domain_get_max_vcpus_ret),
      VIREO_STRUCTURE(remote_domain_get_security_label_args),
      VIREO_STRUCTURE(remote_domain_get_security_label_ret),
      VIREO_STRUCTURE(remote_domain_has_managed_save_image_args),
      VIREO_STRUCTURE(remote_domain_has_managed_save_image_ret),
      VIREO_STRUCTURE(remote_domain_is_persistent_args),
      VIREO_STRUCTURE(remote_domain_is_persistent_ret),
      VIREO_STRUCTURE(remote_domain_is_updated_args),
      VIREO_STRUCTURE(remote_domain_is_updated_ret),
      VIREO_STRUCTURE(remote_node_get_info_ret),
      VIREO_STRUCTURE(remote_node_get_security_model_ret),
      VIREO_STRUCTURE(remote_connect_get_all_domain_stats_args),
      VIREO_STRUCTURE(remote_connect_get_all_domain_stats_ret),
      VIREO_STRUCTURE(remote_domain_get_messages_args),
      VIREO_STRUCTURE(remote_domain_get_messages_ret),
      VIREO_STRUCTURE(remote_domain_open_console_args),
      VIREO_STRUCTURE(remote_connect_domain_event_callback_register_any_args),
      VIREO_STRUCTURE(remote_connect_domain_event_callback_register_any_ret),
      VIREO_STRUCTURE(remote_connect_domain_event_callback_deregister_any_args),
      VIREO_STRUCTURE(remote_domain_event_callback_lifecycle_msg),
      VIREO_STRUCTURE(remote_domain_event_callback_reboot_msg),
  };
#undef VIREO_STRUCTURE
  return all;
}

TEST(Recorded, EveryPayloadReadsAsItsStructureAndWritesBack) {
  std::size_t payloads = 0;
  for (const auto& [from_client, header, payload] : all_recordings()) {
    if (header.type == Type::stream || header.status == Status::error) continue;
    const auto* row = find_procedure(header.program, header.procedure);
    ASSERT_NE(row, nullptr) << header.procedure;
    const auto name = header.type == Type::message ? row->event : from_client ? row->args : row->ret;
    const auto found = structures().find(name);
    ASSERT_NE(found, structures().end()) << name;
    EXPECT_EQ(found->second(payload), payload) << name;
    payloads += !payload.empty();
  }
  EXPECT_GT(payloads, 60u);
}

TEST(Recorded, AnErrorReadsAsLibvirtFillsIt) {
  std::size_t errors = 0;
  for (const auto& [from_client, header, payload] : recording(VIREO_SOURCE_DIR "/tests/golden/wire/no_domain.wire")) {
    if (header.status != Status::error) continue;
    auto error = xdr::decode<wire::remote_error>(payload);
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code, VIR_ERR_NO_DOMAIN);
    EXPECT_EQ(error->domain, VIR_FROM_QEMU);
    EXPECT_EQ(error->message, "Domain not found: no domain with matching name 'nope'");
    EXPECT_EQ(*xdr::encode(*error), payload);
    ++errors;
  }
  EXPECT_GT(errors, 0u);
}

TEST(Recorded, ADomainsStateIsWhatTheClientShowed) {
  std::optional<wire::remote_domain_get_state_ret> state;
  for (const auto& [from_client, header, payload] : recording(VIREO_SOURCE_DIR "/tests/golden/wire/domstate.wire"))
    if (!from_client && header.procedure == static_cast<int>(proc::Remote::domain_get_state))
      state = xdr::decode<wire::remote_domain_get_state_ret>(payload).value();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->state, VIR_DOMAIN_RUNNING);
  EXPECT_EQ(state->reason, VIR_DOMAIN_RUNNING_BOOTED);
}

}  // namespace
}  // namespace vireo::doors::libvirt
