// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "load/client_model.hpp"
#include "load/operation.hpp"

namespace reseal::load {

/// A statement and how many rows it must find; nothing when it may vary. Any other number means that the server does
/// not hold what this client left there, and the transaction is rolled back.
struct Step {
  std::string statement;
  std::optional<std::uint64_t> rows;
};

/// The statements between BEGIN and COMMIT: the ledger row, the effect, the client's counter. Table names are not
/// qualified. `before` is the client's state before the operation.
std::vector<Step> operation_steps(const Operation& operation, const ClientModel& before);

/// The JSON body that doc_insert and `prepare` give a document, an SQL expression; `op` and `n` are expressions too.
std::string document_body(const std::string& op, const std::string& n);

/// A query of (primary key, writer, print) for the rows of `client` in a table, comparable to ClientModel::rows.
std::string own_rows_query(OwnTable table, ClientKey client);

}  // namespace reseal::load
