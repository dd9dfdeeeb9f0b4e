// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "mysql/session.hpp"
#include "sql/key_range.hpp"
#include "sql/table.hpp"

namespace reseal::seed {

/// A range of one table's rows, the unit of copying: above `lower`, up to `upper`; open where nothing is given.
struct Chunk {
  sql::TableName table;
  std::uint32_t number = 0;
  std::optional<sql::KeyValues> lower;
  std::optional<sql::KeyValues> upper;
  bool done = false;
  std::uint64_t rows = 0;
};

/// The plan and the progress of the copy, in reseal.chunk on the target. A chunk is marked done in the transaction that
/// holds its rows. Range ends are key values: they live on the target only, as encrypted as the rows themselves.
void create_chunk_table(mysql::Session& target);
/// Stores a table's whole plan at once: a table is either planned or not.
void store_plan(mysql::Session& target, const std::vector<Chunk>& chunks);
/// All planned chunks, by table and number.
std::vector<Chunk> read_chunks(mysql::Session& target);
/// Locks the chunk's row for the open transaction, after whoever else is at it; false when the chunk is done.
bool claim(mysql::Session& target, const Chunk& chunk);
/// In the transaction that loaded the chunk.
void mark_done(mysql::Session& target, const Chunk& chunk, std::uint64_t rows);

/// Key values as one string and back: each value with its length in front.
std::string pack_key(const sql::KeyValues& values);
sql::KeyValues unpack_key(std::string_view bytes);

}  // namespace reseal::seed
