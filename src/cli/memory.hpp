// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace reseal::cli {

/// Makes freed memory go back to the system: large blocks are mapped one by one, and threads share few arenas. Without
/// it, one huge row would leave its size behind for good (glibc, mallopt).
void keep_memory_low() noexcept;

/// Peak resident memory of this process in KiB (getrusage).
long peak_memory_kib() noexcept;

}  // namespace reseal::cli
