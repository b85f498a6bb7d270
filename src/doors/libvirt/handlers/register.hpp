// Which procedures Vireo answers. Each function adds the rows of one file beside this one; what no file adds answers
// VIR_ERR_NO_SUPPORT by its name.
#pragma once

#include "doors/libvirt/handler.hpp"

namespace vireo::doors::libvirt {

void register_connection(HandlerTable& table);
void register_node(HandlerTable& table);
void register_lookup(HandlerTable& table);
void register_domain_facts(HandlerTable& table);
void register_domain_xml(HandlerTable& table);
void register_define(HandlerTable& table);
void register_lifecycle(HandlerTable& table);
void register_metadata(HandlerTable& table);
void register_events(HandlerTable& table);
void register_console(HandlerTable& table);
void register_monitor(HandlerTable& table);
void register_security(HandlerTable& table);
void register_stats(HandlerTable& table);
void register_block_stats(HandlerTable& table);
void register_interface_stats(HandlerTable& table);
void register_memory_stats(HandlerTable& table);
void register_cpu_stats(HandlerTable& table);
void register_doings(HandlerTable& table);
void register_node_stats(HandlerTable& table);

inline void register_all(HandlerTable& table) {
  register_connection(table);
  register_node(table);
  register_lookup(table);
  register_domain_facts(table);
  register_domain_xml(table);
  register_define(table);
  register_lifecycle(table);
  register_metadata(table);
  register_events(table);
  register_console(table);
  register_monitor(table);
  register_security(table);
  register_stats(table);
  register_block_stats(table);
  register_interface_stats(table);
  register_memory_stats(table);
  register_cpu_stats(table);
  register_doings(table);
  register_node_stats(table);
}

}  // namespace vireo::doors::libvirt
