// SPDX-License-Identifier: Apache-2.0
#include "sandbox/server_options.hpp"

namespace reseal::sandbox {
namespace {

const char* on_off(bool value) { return value ? "ON" : "OFF"; }

// Several servers run side by side on a small machine, so the tables of performance_schema are kept small.
void add_modest_memory(std::vector<std::string>& arguments, const ServerOptions& options) {
  arguments.insert(
      arguments.end(),
      {"--innodb-buffer-pool-size=" + std::to_string(options.buffer_pool_mib) + "M", "--innodb-buffer-pool-instances=1",
       "--innodb-log-buffer-size=16M", "--innodb-redo-log-capacity=128M", "--innodb-buffer-pool-load-at-startup=OFF",
       "--innodb-buffer-pool-dump-at-shutdown=OFF", "--max-connections=300", "--table-open-cache=600",
       "--performance-schema-max-digest-length=256", "--performance-schema-digests-size=200",
       "--performance-schema-events-statements-history-long-size=100",
       "--performance-schema-events-waits-history-long-size=100",
       "--performance-schema-events-stages-history-long-size=100",
       "--performance-schema-events-transactions-history-long-size=100"});
}

}  // namespace

std::vector<std::string> server_arguments(const ServerOptions& options) {
  std::vector<std::string> arguments = {
      "--mysqlx=OFF",
      "--skip-name-resolve",
      "--bind-address=127.0.0.1",
      "--secure-file-priv=",
      // Without GTIDs a replica that crashed would else go on at a place that its rows are past.
      "--relay-log-recovery=ON",
      std::string("--gtid-mode=") + on_off(options.gtid),
      std::string("--enforce-gtid-consistency=") + on_off(options.gtid),
      "--binlog-row-image=" + options.row_image,
      "--binlog-row-metadata=" + options.row_metadata,
      std::string("--binlog-transaction-compression=") + on_off(options.compress_transactions),
      std::string("--local-infile=") + on_off(options.local_infile),
  };
  add_modest_memory(arguments, options);
  if (options.partial_json) arguments.emplace_back("--binlog-row-value-options=PARTIAL_JSON");
  if (options.semi_sync)
    arguments.insert(arguments.end(), {"--plugin-load-add=semisync_source.so", "--rpl-semi-sync-source-enabled=ON",
                                       "--rpl-semi-sync-source-timeout=2000"});
  if (options.encrypted)
    arguments.insert(arguments.end(), {"--default-table-encryption=ON", "--innodb-redo-log-encrypt=ON",
                                       "--innodb-undo-log-encrypt=ON", "--binlog-encryption=ON"});
  arguments.insert(arguments.end(), options.extra.begin(), options.extra.end());
  return arguments;
}

}  // namespace reseal::sandbox
