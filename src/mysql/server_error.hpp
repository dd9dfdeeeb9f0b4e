// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "base/failure.hpp"

namespace reseal::mysql {

/// A server's answer on the replication connection as a failure: `transient` when the same request may succeed after
/// a new login, else `source`. The server's text is kept, made printable. `where` says what we asked for.
base::Failure source_failure(std::string_view where, unsigned server_errno, std::string_view text);

}  // namespace reseal::mysql
