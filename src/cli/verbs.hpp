// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): the library's own name
class App;
}

namespace reseal::cli {

/// What the command line asked for: set by the parsed verb, run by `main`, which turns a Failure into its exit code.
using Chosen = std::function<int()>;

/// Each adds its verbs with their options to `app`; when one is parsed, it sets `chosen`. Both must outlive the parse.
void add_check(CLI::App& app, Chosen& chosen);
void add_parity(CLI::App& app, Chosen& chosen);
void add_run_verbs(CLI::App& app, Chosen& chosen);     ///< start, verify, cutover, rollback, finish
void add_report_verbs(CLI::App& app, Chosen& chosen);  ///< status, attest
void add_sandbox(CLI::App& app, Chosen& chosen);
void add_load(CLI::App& app, Chosen& chosen);
void add_proxy(CLI::App& app, Chosen& chosen);

}  // namespace reseal::cli
