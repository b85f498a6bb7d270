// The precompiled header: what is slow to compile and used nearly everywhere. Boost.Asio is included here and
// nowhere else. `asio` is the short name that all of Vireo uses for it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>
#include <boost/asio.hpp>

namespace asio = boost::asio;
