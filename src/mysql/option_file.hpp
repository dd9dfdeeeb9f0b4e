// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "mysql/endpoint.hpp"

namespace reseal::mysql {

/// Reads the options host, port, socket, user, password, ssl-mode, ssl-ca, ssl-cert and ssl-key of the named `groups`
/// (without brackets, e.g. "client") from a MySQL option file, on top of `start`. Syntax and escapes are those of the
/// MySQL manual, "Using Option Files": `#` and `;` comments, quotes, \b \t \n \r \s \\, `_` for `-`, `loose-`.
/// When an option is given twice, the later line wins, whatever its group.
///
/// Stricter than MySQL's own clients, because a slip here would weaken a login unseen: an unknown ssl- or tls- option,
/// ssl-mode=PREFERRED, `!include`, a file that everyone may write, and a password in a file that everyone may read are
/// refused. Other unknown options are passed over, as they belong to other clients. As with those, ssl-ca without
/// ssl-mode means VERIFY_CA.
///
/// Throws Failure(usage) with file and line; no message ever shows a value.
Endpoint read_option_file(const std::filesystem::path& path, const std::vector<std::string>& groups,
                          Endpoint start = {});

/// The same for text that was already read; `name` stands for the file in messages. No permission is checked.
Endpoint parse_option_text(std::string_view text, const std::string& name, const std::vector<std::string>& groups,
                           Endpoint start = {});

/// MySQL's spelling of --ssl-mode, in any case. Throws Failure(usage) for anything else; PREFERRED is refused.
TlsMode parse_tls_mode(std::string_view text);

}  // namespace reseal::mysql
