// A guest's state and its reason as words. libvirt's protocol carries numbers; here are the words that its clients show
// for them, in a form that programs can compare ("shutoff", "from_snapshot"). Pure.
#pragma once

#include <string_view>

namespace vireo::doors::http {

// Of a virDomainState; "unknown" for a number that is none.
std::string_view state_word(int state);
// Of the state's own enumeration of reasons (virDomainRunningReason …).
std::string_view reason_word(int state, int reason);

}  // namespace vireo::doors::http
