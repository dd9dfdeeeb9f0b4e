// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace reseal::cli {

/// What the command line asked for: set by the parsed verb, run by `main`, which turns a Failure into its exit code.
using Chosen = std::function<int()>;

/// Each adds one verb with its options to `app`; when parsed, it sets `chosen`. Both must outlive the parse.
void add_sandbox(CLI::App& app, Chosen& chosen);
void add_load(CLI::App& app, Chosen& chosen);

}  // namespace reseal::cli
