// The security models in force, and the labels of one guest: from the published version, where the question arrived.
#include <algorithm>

#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

// Texts of these calls are arrays that end with their zero.
template <class Array>
void put(Array& array, const std::string& text) {
  array.assign(text.begin(), text.end());
  array.push_back('\0');
}

// What a driver without labelers is said to have.
std::vector<ports::SecurityModel> models_of(const Call& call) {
  auto models = host_of(call).labeler.models();
  if (models.empty()) models.push_back({.name = "none"});
  return models;
}

// The label of a running guest's process; empty where that model does nothing to it.
wire::remote_domain_get_security_label_ret label_of(const model::DomainView& domain,
                                                    const ports::SecurityModel& model) {
  wire::remote_domain_get_security_label_ret ret{};
  const auto* label = domain.live ? domain.live->seclabel(model.name) : nullptr;
  if (!label || label->label.empty()) {
    if (domain.live) put(ret.label, {});
    return ret;
  }
  put(ret.label, label->label);
  ret.enforcing = model.enforcing ? 1 : 0;
  return ret;
}

Result<wire::remote_node_get_security_model_ret> security_model(const Call& call, const Nothing&) {
  const auto first = models_of(call).front();
  wire::remote_node_get_security_model_ret ret;
  put(ret.model, first.name);
  put(ret.doi, first.doi);
  return ret;
}

Result<wire::remote_domain_get_security_label_ret> security_label(
    const Call& call, const wire::remote_domain_get_security_label_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  return label_of(**domain, models_of(call).front());
}

// One for each model, of running guests only.
Result<wire::remote_domain_get_security_label_list_ret> security_label_list(
    const Call& call, const wire::remote_domain_get_security_label_list_args& args) {
  auto domain = find_domain(call, args.dom);
  if (!domain) return pass_on(domain);
  wire::remote_domain_get_security_label_list_ret ret{};
  if (!(*domain)->live) return ret;
  for (const auto& model : models_of(call)) ret.labels.push_back(label_of(**domain, model));
  ret.ret = static_cast<std::int32_t>(ret.labels.size());
  return ret;
}

}  // namespace

void register_security(HandlerTable& table) {
  using proc::Remote;
  table.read(Remote::node_get_security_model, &security_model);
  table.read(Remote::domain_get_security_label, &security_label);
  table.read(Remote::domain_get_security_label_list, &security_label_list);
}

}  // namespace vireo::doors::libvirt
