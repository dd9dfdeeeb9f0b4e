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
///     {"do":"hold","epoch":E,"lease_ms":L,"patience_ms":P}
///                        -> {"ok":true,"quiet":…,"held":…,"busy":…,"logging_in":…,"took_us":…}
///     {"do":"prepare","to":"target"}    -> {"ok":true}
///     {"do":"move","epoch":E,"to":"target","patience_ms":P,"end_busy":true}
///                        -> {"ok":true,"moved":…,"closed":…,"under_way":…,"took_us":…}
///     {"do":"release","epoch":E}   sessions go on where they are; "unhold" is the same
///
/// Anything else, and a line that is not such an object, is answered with {"ok":false,"error":…}.
std::string control_answer(Proxy& proxy, std::string_view line);

}  // namespace reseal::proxy
