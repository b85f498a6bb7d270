// Contexts from the policy, categories from the table, and which file gets which.
#include "security/selinux.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/log.hpp"
#include "security/guest_files.hpp"

namespace vireo::security {

namespace {

constexpr const char* kPolicies = "/etc/selinux";

std::string slurp(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);)
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  return lines;
}

bool is_context(const std::string& text) {
  return std::ranges::count(text, ':') >= 3 && text.find_first_of(" \t\n") == std::string::npos;
}

std::string life_of(const model::DomainDef& live) {
  return fmt::format("{}/{}", live.uuid.text(), live.id.value_or(0));
}

std::string level_of(const std::string& context) {
  std::size_t at = 0;
  for (int colon = 0; colon < 3; ++colon) at = context.find(':', at) + 1;
  return context.substr(at);
}

}  // namespace

Result<SelinuxContexts> SelinuxContexts::parse(const std::string& domain_context, const std::string& image_context) {
  const auto processes = lines_of(domain_context), images = lines_of(image_context);
  if (processes.empty() || images.size() < 2)
    return fail(VIR_ERR_CONF_SYNTAX, "the policy says no contexts for virtual machines");
  SelinuxContexts contexts{.process = processes.front(),
                           .emulated_process = processes.back(),
                           .image = images.front(),
                           .content = images[1]};
  for (const auto* context : {&contexts.process, &contexts.emulated_process, &contexts.image, &contexts.content})
    if (!is_context(*context)) return fail(VIR_ERR_CONF_SYNTAX, "the policy's '" + *context + "' is no context");
  return contexts;
}

Result<SelinuxContexts> SelinuxContexts::of_this_host() {
  std::string policy = "targeted";
  for (const auto& line : lines_of(slurp(std::string(kPolicies) + "/config")))
    if (line.starts_with("SELINUXTYPE=")) policy = line.substr(line.find('=') + 1);
  const auto folder = fmt::format("{}/{}/contexts/", kPolicies, policy);
  auto contexts = parse(slurp(folder + "virtual_domain_context"), slurp(folder + "virtual_image_context"));
  if (!contexts)
    contexts.error().detail += fmt::format(" ({0}virtual_domain_context, {0}virtual_image_context)", folder);
  return contexts;
}

std::string with_level(const std::string& context, const std::string& level) {
  std::size_t at = 0;
  for (int colon = 0; colon < 3; ++colon) at = context.find(':', at) + 1;
  return context.substr(0, at) + level;
}

Result<ports::LabelClaim> SelinuxDriver::choose(const model::DomainDef& live, model::SecLabel& label) {
  const auto refuse = [&](const std::string& text) {
    return fail_from(VIR_FROM_SECURITY, VIR_ERR_CONFIG_UNSUPPORTED,
                     fmt::format("the label '{}' of domain '{}' is no SELinux context; write USER:ROLE:TYPE:LEVEL",
                                 text, live.name));
  };
  const auto files_like = [&](const std::string& process) {
    return label.relabels() ? with_level(contexts_.image, level_of(process)) : std::string();
  };
  if (label.is_static()) {
    if (!is_context(label.label)) return refuse(label.label);
    label.imagelabel = files_like(label.label);
    const auto pair = categories_in(label.label);
    if (!pair) return ports::LabelClaim{};
    auto claim = categories_.claim(*pair);
    if (!claim) return pass_on(claim);
    return std::make_shared<McsTable::Claim>(std::move(*claim));
  }
  if (!label.baselabel.empty() && !is_context(label.baselabel)) return refuse(label.baselabel);
  auto claim = categories_.claim();
  if (!claim) return pass_on(claim);
  const auto& usual = live.type == model::VirtType::kvm ? contexts_.process : contexts_.emulated_process;
  const auto& base = label.baselabel.empty() ? usual : label.baselabel;
  const auto level = level_of(base);
  label.label = with_level(base, level.substr(0, level.find(':')) + ":" + claim->pair().text());
  label.imagelabel = files_like(label.label);
  return std::make_shared<McsTable::Claim>(std::move(*claim));
}

ports::LabelClaim SelinuxDriver::inherit(const model::DomainDef&, const model::SecLabel& label) {
  const auto pair = categories_in(label.label);
  return pair ? std::make_shared<McsTable::Claim>(categories_.inherit(*pair)) : ports::LabelClaim{};
}

std::string SelinuxDriver::label_for(const GuestFile& file, const model::SecLabel& label) const {
  const auto* own = file.label("selinux");
  if (!file.labelled || !(own ? own->relabel.value_or(true) : label.relabels())) return {};
  if (own && !own->label.empty()) return own->label;
  if (file.use != GuestFile::Use::Write) return contexts_.content;
  if (file.shared) return contexts_.image;
  // A disk that is relabelled though the guest's others are not has the process's categories all the same.
  return label.imagelabel.empty() ? with_level(contexts_.image, level_of(label.label)) : label.imagelabel;
}

void SelinuxDriver::explain(const std::vector<GuestFile>& files, const model::SecLabel& label, bool runs,
                            std::vector<model::FileAccess>& answers) const {
  if (!runs) return;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto wanted = label_for(files[i], label), now = label_of(files[i].path, attributes_);
    auto& answer = answers[i];
    if (!answer.allowed || wanted.empty() || now == wanted) continue;
    answer.allowed = false;
    answer.component = files[i].path;
    answer.rule = "selinux";
    answer.why = fmt::format("'{}' has the label '{}' and was given '{}'", files[i].path, now, wanted);
  }
}

Result<void> SelinuxDriver::apply(const model::DomainDef& live, const model::SecLabel& label, Deadline deadline) const {
  for (const auto& file : guest_files(live)) {
    const auto wanted = label_for(file, label);
    if (wanted.empty()) continue;
    auto done =
        set_label(file.path, wanted,
                  {.attributes = attributes_, .boot_id = boot_id_, .life = life_of(live), .deadline = deadline});
    if (done || (!file.must_exist && ::access(file.path.c_str(), F_OK) != 0)) continue;
    take_back(live, label, deadline);
    return done;
  }
  return {};
}

void SelinuxDriver::take_back(const model::DomainDef& live, const model::SecLabel&, Deadline deadline) const {
  for (const auto& file : guest_files(live)) {
    if (!file.labelled) continue;
    const LabelTenant tenant{
        .attributes = attributes_, .boot_id = boot_id_, .life = life_of(live), .deadline = deadline};
    auto done = put_label_back(file.path, tenant);
    if (!done) done = put_label_back(file.path, tenant);
    if (!done) log::warn("guest '{}': {}", live.name, done.error().message());
  }
}

}  // namespace vireo::security
