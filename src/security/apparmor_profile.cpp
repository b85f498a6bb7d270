// What every QEMU needs, then what this one does.
#include "security/apparmor_profile.hpp"

#include <algorithm>

namespace vireo::security {

namespace {

// Of AppArmor's patterns nothing is meant by a path that has their characters.
std::string quoted(std::string_view path) {
  std::string out = "\"";
  for (const char c : path) {
    if (std::string_view("\\\"*?[]{}^,@$").contains(c)) out += '\\';
    out += c;
  }
  return out + "\"";
}

// Emulation, memory, randomness, terminals and the network: by the kinds of device that Vireo gives a guest.
constexpr const char* kEveryQemu = R"(
  # the system's libraries, and the emulator's own data
  include <abstractions/base>
  include <abstractions/nameservice>
  /usr/lib/@{multiarch}/qemu/** mr,
  /usr/lib/qemu/** mr,
  /usr/share/{kvm,qemu,seabios,ipxe,vgabios,misc,OVMF,AAVMF,spice}/** r,
  /usr/share/{kvm,qemu,qemu-efi}/ r,

  # the host, as far as it looks at it
  @{PROC}/@{pid}/{status,stat,maps,auxv,comm} r,
  @{PROC}/@{pid}/task/*/{comm,stat} rw,
  @{PROC}/sys/vm/overcommit_memory r,
  @{PROC}/sys/kernel/cap_last_cap r,
  /sys/devices/system/{cpu,node}/** r,
  /sys/kernel/mm/transparent_hugepage/** r,

  /dev/kvm rw,
  /dev/ptmx rw,
  /dev/pts/* rw,
  /dev/net/tun rw,

  network inet stream,
  network inet6 stream,
  network inet dgram,
  network inet6 dgram,
  unix,
  signal (receive) peer=unconfined,
  ptrace (readby) peer=unconfined,
)";

}  // namespace

std::string apparmor_rule(const ProfileFile& file) {
  return fmt::format("  {} {},\n", quoted(file.path), file.permissions);
}

Result<std::string> apparmor_profile(const ProfileFacts& facts) {
  const auto has_control = [](const std::string& path) {
    return std::ranges::any_of(path, [](unsigned char c) { return c < ' ' || c == 0x7f; });
  };
  std::string own;
  for (const auto& file : facts.files) {
    if (has_control(file.path))
      return fail(VIR_ERR_CONFIG_UNSUPPORTED,
                  "the path '" + file.path + "' has control characters, which no AppArmor profile can hold; rename it");
    if (const auto rule = apparmor_rule(file); !own.contains(rule)) own += rule;
  }
  std::string text = "# One guest of vireod, made when it starts and removed when it ends.\n";
  text += fmt::format("abi <abi/3.0>,\n\ninclude <tunables/global>\n\nprofile {} flags=(attach_disconnected) {{",
                      quoted(facts.name));
  text += kEveryQemu;
  text += "\n  # this guest\n";
  text += fmt::format("  {} r,\n  {} rwkl,\n", quoted(facts.runtime_dir + "/"),
                      quoted(facts.runtime_dir + "/").insert(quoted(facts.runtime_dir + "/").size() - 1, "**"));
  text += fmt::format("  {} w,\n", quoted(facts.log_path));
  return text + own + "}\n";
}

}  // namespace vireo::security
