// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/parameters.hpp"

#include <algorithm>
#include <charconv>

#include "sandbox/rds/api_error.hpp"
#include "sql/quote.hpp"

namespace reseal::sandbox::rds {
namespace {

constexpr const char* true_if_replica = "{TrueIfReplica}";

std::optional<long long> integer(std::string_view text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool within(std::string_view range, const std::string& value) {
  const auto dash = range.find('-', 1);
  if (dash == std::string_view::npos) return range == value;
  const auto low = integer(range.substr(0, dash)), high = integer(range.substr(dash + 1)), number = integer(value);
  if (!low || !high) return range == value;
  return number && *low <= *number && *number <= *high;
}

std::string variable(const Parameter& parameter) {
  std::string name = parameter.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace

const std::vector<Parameter>& parameters() {
  static const std::vector<Parameter> list = {
      {"binlog_row_image", true, "string", "full,minimal,noblob", nullptr, "What row images hold."},
      {"binlog_row_metadata", true, "string", "full,minimal", nullptr, "How much of a table's definition is logged."},
      {"binlog_row_value_options", true, "string", "PARTIAL_JSON", nullptr, "JSON updates as differences."},
      {"binlog_transaction_compression", true, "boolean", "0,1", nullptr, "Compresses transactions in the log."},
      {"character_set_server", true, "string", "utf8mb4,latin1,utf8mb3,ascii,binary", nullptr,
       "The server's character set."},
      {"collation_server", true, "string", "", nullptr, "The server's collation."},
      {"enforce_gtid_consistency", true, "string", "OFF,WARN,ON", "OFF", "Refuses statements that GTIDs cannot log."},
      {"event_scheduler", true, "string", "ON,OFF", nullptr, "Runs events."},
      {"gtid-mode", false, "string", "OFF,OFF_PERMISSIVE,ON_PERMISSIVE,ON", "OFF_PERMISSIVE", "GTID-based logging."},
      {"innodb_buffer_pool_size", true, "integer", "5242880-9223372036854775807", nullptr, "Bytes of the buffer pool."},
      {"innodb_flush_log_at_trx_commit", true, "integer", "0-2", "1", "When the redo log is flushed."},
      {"innodb_lock_wait_timeout", true, "integer", "1-1073741824", nullptr, "Seconds to wait for a row lock."},
      {"interactive_timeout", true, "integer", "1-31536000", nullptr, "Seconds that an idle session stays."},
      {"local_infile", true, "boolean", "0,1", "1", "Allows LOAD DATA LOCAL."},
      {"log_bin_trust_function_creators", true, "boolean", "0,1", nullptr, "Functions that are not deterministic."},
      {"long_query_time", true, "float", "0-31536000", nullptr, "Seconds that make a statement slow."},
      {"lower_case_table_names", false, "integer", "0,1", nullptr, "How table names are compared."},
      {"max_allowed_packet", true, "integer", "1024-1073741824", nullptr, "The largest packet."},
      {"max_binlog_size", true, "integer", "4096-1073741824", "134217728", "Bytes after which the log is rotated."},
      {"max_connections", true, "integer", "1-100000", nullptr, "The most sessions at a time."},
      {"net_read_timeout", true, "integer", "1-31536000", nullptr, "Seconds to wait for a client's bytes."},
      {"net_write_timeout", true, "integer", "1-31536000", nullptr, "Seconds to wait until a client takes bytes."},
      {"performance_schema", false, "boolean", "0,1", nullptr, "Instruments the server."},
      {"read_only", true, "string", "0,1,{TrueIfReplica}", true_if_replica,
       "Refuses writes of accounts without rights."},
      {"replica_parallel_workers", true, "integer", "0-1024", nullptr, "Threads that apply."},
      {"replica_preserve_commit_order", true, "boolean", "0,1", nullptr, "Replicas commit in the source's order."},
      {"require_secure_transport", true, "boolean", "0,1", nullptr, "Refuses sessions without TLS."},
      {"sql_mode", true, "string", "", nullptr, "The server's SQL mode."},
      {"sync_binlog", true, "integer", "0-4294967295", "1", "Commits per flush of the log."},
      {"table_open_cache", true, "integer", "1-524288", nullptr, "Open tables."},
      {"time_zone", true, "string", "", "SYSTEM", "The server's time zone."},
      {"transaction_isolation", true, "string", "READ-UNCOMMITTED,READ-COMMITTED,REPEATABLE-READ,SERIALIZABLE", nullptr,
       "The default isolation."},
      {"wait_timeout", true, "integer", "1-31536000", nullptr, "Seconds that an idle session stays."},
  };
  return list;
}

const Parameter& parameter(const std::string& name) {
  for (const auto& known : parameters())
    if (name == known.name) return known;
  throw invalid_value("Could not find parameter with name: " + name);
}

void check_parameter_value(const Parameter& parameter, const std::string& value) {
  std::string_view allowed = parameter.allowed;
  if (allowed.empty()) return;
  while (!allowed.empty()) {
    const auto comma = std::min(allowed.find(','), allowed.size());
    if (within(allowed.substr(0, comma), value)) return;
    allowed.remove_prefix(std::min(comma + 1, allowed.size()));
  }
  throw invalid_value("Invalid parameter value: " + value + " for: " + parameter.name +
                      " allowed values are: " + parameter.allowed);
}

std::map<std::string, std::string> values_for(const ParameterGroup& group, bool replica) {
  std::map<std::string, std::string> values;
  for (const auto& known : parameters())
    if (known.initial != nullptr) values[known.name] = known.initial;
  for (const auto& [name, value] : group.values) values[name] = value;
  for (auto& [name, value] : values)
    if (value == true_if_replica) value = replica ? "1" : "0";
  return values;
}

std::vector<std::string> server_options_of(const std::map<std::string, std::string>& values) {
  std::vector<std::string> options;
  for (const auto& [name, value] : values) {
    // The one variable whose option has another name (MySQL manual, "Server System Variables").
    std::string text = name == "time_zone" ? "--default-time-zone" : "--" + name;
    options.push_back(text += "=" + value);
  }
  return options;
}

std::string set_statement(const Parameter& parameter, const std::optional<std::string>& value) {
  const auto name = "SET GLOBAL " + variable(parameter) + " = ";
  if (!value) return name + "DEFAULT";
  const bool bare = std::string_view(parameter.data_type) != "string" && integer(*value);
  return name + (bare || *value == "0" || *value == "1" ? *value : sql::quote_text(*value));
}

}  // namespace reseal::sandbox::rds
