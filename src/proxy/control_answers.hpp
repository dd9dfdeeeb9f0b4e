// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "proxy/proxy.hpp"

namespace reseal::proxy {

/// What the proxy answers on its control socket:
///
///     {"do":"status"}    -> {"ok":true,"server":…,"open":…,…}
///     {"do":"sessions"}  -> {"ok":true,"sessions":[{"number":…,"client":…,"user":…,"phase":…,"movable":…},…]}
///     {"do":"drain"}     -> {"ok":true}
///
/// Anything else, and a line that is not such an object, is answered with {"ok":false,"error":…}.
std::string control_answer(Proxy& proxy, std::string_view line);

}  // namespace reseal::proxy
