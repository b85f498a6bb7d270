// The binding of <seclabel> below <domain>. What a running guest was given (its labels, where the definition leaves
// them open) is written for running guests only.
#pragma once

#include "model/seclabel.hpp"
#include "xml/reader.hpp"
#include "xml/writer.hpp"

namespace vireo::xml {

// What contradicts itself, in libvirt's words; and what is meant where nothing is said.
inline void check_seclabel(Reader& io, model::SecLabel& label) {
  using enum model::SecLabelType;
  if (label.type == unset) label.type = dynamic;
  if (label.type == none) {
    if (label.relabel == true)
      io.fail(VIR_ERR_CONFIG_UNSUPPORTED, "resource relabeling is not compatible with 'none' label type",
              VIR_FROM_DOMAIN);
    label.relabel.reset();
  } else if (label.type == fixed) {
    if (label.label.empty()) io.fail(VIR_ERR_XML_ERROR, "security label is missing", VIR_FROM_DOMAIN);
    label.relabel = label.relabel.value_or(false);
  } else {
    if (label.relabel == false)
      io.fail(VIR_ERR_CONFIG_UNSUPPORTED, "dynamic label type must use resource relabeling", VIR_FROM_DOMAIN);
    label.relabel = true;
  }
  if (label.model.empty() && (label.type == fixed || !label.baselabel.empty()))
    io.fail(VIR_ERR_XML_ERROR, "missing security model in domain seclabel", VIR_FROM_DOMAIN);
}

template <class IO, class T>
void bind_seclabel(IO& io, T& label) {
  using enum model::SecLabelType;
  io.word("type", label.type);
  io.attr("model", label.model);
  io.yes_no("relabel", label.relabel);
  if constexpr (IO::reading) {
    io.text_child("label", label.label);
    io.text_child("imagelabel", label.imagelabel);
    io.text_child("baselabel", label.baselabel);
    if (label.type == none || !(io.live() || label.is_static())) label.label.clear();
    if (!io.live() || !label.relabels()) label.imagelabel.clear();
    if (label.is_static() || label.type == none) label.baselabel.clear();
    check_seclabel(io, label);
  } else {
    io.text_child("label", io.live() || label.is_static() ? label.label : std::string());
    io.text_child("imagelabel", io.live() ? label.imagelabel : std::string());
    io.text_child("baselabel", label.baselabel);
  }
}

template <class IO, class T>
void bind_seclabels(IO& io, T& labels) {
  if constexpr (IO::reading) {
    io.list("seclabel", labels, [](auto& sub, auto& value) { bind_seclabel(sub, value); });
  } else {
    for (const auto& label : labels) {
      // One that was chosen for the running guest, not asked for.
      const bool chosen = label.type == model::SecLabelType::dynamic && !label.label.empty() && label.baselabel.empty();
      io.child("seclabel", io.live() || !chosen, [&](auto& sub) { bind_seclabel(sub, label); });
    }
  }
}

}  // namespace vireo::xml
