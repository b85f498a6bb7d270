// Making, loading and removing profiles. The text stays as a file while the profile is loaded: it is what a later
// daemon removes it by, and what explain() reads.
#include "security/apparmor.hpp"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "security/apparmor_profile.hpp"
#include "security/guest_files.hpp"
#include "security/run_program.hpp"

namespace vireo::security {

namespace {

// The kernel asks for a file by where it lies, whatever link led there.
std::string real_path(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (!found) return path;
  std::string real = found;
  ::free(found);  // NOLINT: realpath's own
  return real;
}

ProfileFile rule_for(const GuestFile& file) {
  ProfileFile rule{.path = real_path(file.path), .permissions = "rk"};
  if (file.use == GuestFile::Use::Write) rule.permissions = "rwk";
  if (file.use == GuestFile::Use::Execute) rule.permissions = "mr";
  return rule;
}

Result<void> write_text(const std::string& path, const std::string& text) {
  if (auto fault = fault::at("apparmor.write"); !fault) return fault;
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(VIR_ERR_SYSTEM_ERROR, "cannot write the profile '" + path + "'");
  return {};
}

}  // namespace

Result<ports::LabelClaim> AppArmorDriver::choose(const model::DomainDef& live, model::SecLabel& label) {
  if (!label.baselabel.empty())
    return fail_from(
        VIR_FROM_SECURITY, VIR_ERR_CONFIG_UNSUPPORTED,
        fmt::format("the <baselabel> '{}' of domain '{}' is not supported by Vireo for AppArmor; remove it",
                    label.baselabel, live.name));
  const auto odd = [](unsigned char c) { return c <= ' ' || c == 0x7f; };
  if (label.is_static() && std::ranges::any_of(label.label, odd))
    return fail_from(VIR_FROM_SECURITY, VIR_ERR_CONFIG_UNSUPPORTED,
                     fmt::format("the label '{}' of domain '{}' is no profile's name", label.label, live.name));
  // Of one life, and of no other: one may begin while the one before is cleared away.
  if (!label.is_static()) label.label = fmt::format("vireo-{}-{}", live.uuid.text(), live.id.value_or(0));
  label.imagelabel = label.relabels() ? label.label : "";
  return ports::LabelClaim{};
}

Result<std::string> AppArmorDriver::profile_for(const model::DomainDef& live, const std::string& name) const {
  ProfileFacts facts{.name = name,
                     .runtime_dir = fmt::format("{}/{}", real_path(places_.runtime_dir), live.id.value_or(0)),
                     .log_path = fmt::format("{}/{}.log", real_path(places_.log_dir), live.name),
                     .files = {}};
  for (const auto& file : guest_files_and_backing(live)) facts.files.push_back(rule_for(file));
  return apparmor_profile(facts);
}

Result<void> AppArmorDriver::apply(const model::DomainDef& live, const model::SecLabel& label,
                                   Deadline deadline) const {
  if (label.is_static()) return {};
  auto text = profile_for(live, label.label);
  if (!text) return pass_on(text);
  const auto file = file_of(label.label);
  if (auto written = write_text(file, *text); !written) return written;
  auto loaded = fault::at("apparmor.load");
  if (loaded) loaded = run_program({"apparmor_parser", "--replace", "--skip-cache", file}, deadline);
  if (loaded) return {};
  ::unlink(file.c_str());
  loaded.error().detail = fmt::format("the profile '{}' cannot be loaded: {}", label.label, loaded.error().detail);
  return loaded;
}

void AppArmorDriver::take_back(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const {
  const auto file = file_of(label.label);
  if (label.is_static() || ::access(file.c_str(), F_OK) != 0) return;  // not loaded, or removed already
  auto removed = fault::at("apparmor.remove");
  if (removed) removed = run_program({"apparmor_parser", "--remove", file}, deadline);
  if (!removed) return log::warn("guest '{}': its profile stays loaded: {}", live.name, removed.error().message());
  ::unlink(file.c_str());
}

void AppArmorDriver::explain(const std::vector<GuestFile>& files, const model::SecLabel& label, bool runs,
                             std::vector<model::FileAccess>& answers) const {
  // A profile that is made when the guest starts allows what the guest has then; one of the host's own is not read.
  if (!runs || label.is_static()) return;
  std::ifstream in(file_of(label.label));
  const std::string text(std::istreambuf_iterator<char>(in), {});
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto rule = rule_for(files[i]);
    auto& answer = answers[i];
    if (!answer.allowed || text.contains(apparmor_rule(rule))) continue;
    answer.allowed = false;
    answer.component = rule.path;
    answer.rule = "apparmor";
    answer.why =
        fmt::format("the profile '{}' has no rule that gives '{}' {}", label.label, rule.path, rule.permissions);
  }
}

}  // namespace vireo::security
