// SPDX-License-Identifier: Apache-2.0
#include "sandbox/rds/procedure_texts.hpp"

namespace reseal::sandbox::rds::texts {

// rds_sysinfo says what the control plane knows of the server: the row replica_of makes it a managed read replica.
const std::vector<std::string> tables = {
    R"(CREATE TABLE mysql.rds_configuration (name VARCHAR(100) NOT NULL PRIMARY KEY, value VARCHAR(100), description
       VARCHAR(300) NOT NULL) CHARSET=utf8mb4)",
    R"(INSERT INTO mysql.rds_configuration VALUES
       ('binlog retention hours', NULL,
        'binlog retention hours specifies the duration in hours before binary logs are automatically deleted.'),
       ('source delay', '0',
        'source delay specifies replication delay in seconds between current instance and its source.'),
       ('target delay', '0',
        'target delay specifies replication delay in seconds between current instance and its future read-replica.'))",
    R"(CREATE TABLE mysql.rds_heartbeat2 (id INT NOT NULL PRIMARY KEY, value BIGINT) CHARSET=utf8mb4)",
    R"(CREATE TABLE mysql.rds_sysinfo (name VARCHAR(25) NOT NULL PRIMARY KEY, value VARCHAR(255)) CHARSET=utf8mb4)",
    R"(CREATE TABLE mysql.rds_history (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, action_timestamp TIMESTAMP NOT
       NULL DEFAULT CURRENT_TIMESTAMP, called_by_user VARCHAR(288) NOT NULL, action VARCHAR(40) NOT NULL,
       mysql_version VARCHAR(50) NOT NULL, master_host VARCHAR(255), master_port INT, master_user VARCHAR(96),
       master_log_file VARCHAR(255), master_log_pos BIGINT UNSIGNED, master_ssl TINYINT) CHARSET=utf8mb4)",
    R"(CREATE TABLE mysql.rds_replication_status (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, action_timestamp
       TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, called_by_user VARCHAR(288) NOT NULL, action VARCHAR(40)
       NOT NULL, mysql_version VARCHAR(50) NOT NULL) CHARSET=utf8mb4)",
};

const std::vector<std::string> common = {
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_show_configuration() READS SQL DATA
BEGIN
  SELECT name, value, description FROM mysql.rds_configuration ORDER BY name;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_set_configuration(IN name VARCHAR(30), IN value INT)
BEGIN
  IF name NOT IN ('binlog retention hours', 'source delay', 'target delay') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Invalid configuration parameter name';
  ELSEIF name = 'binlog retention hours' AND value NOT BETWEEN 1 AND 168 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'For binlog retention hours the value must be between 1 and 168 inclusive or be NULL';
  ELSEIF name <> 'binlog retention hours' AND (value IS NULL OR value NOT BETWEEN 0 AND 86400) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'For a delay the value must be between 0 and 86400 inclusive';
  END IF;
  SET SESSION sql_log_bin = 0;
  UPDATE mysql.rds_configuration AS c SET c.value = value WHERE c.name = name;
  SET SESSION sql_log_bin = 1;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_kill(IN thread BIGINT)
BEGIN
  DECLARE owner VARCHAR(96);
  SELECT processlist_user INTO owner FROM performance_schema.threads WHERE processlist_id = thread;
  IF owner IN ('rdsadmin', 'rdsrepladmin') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ERROR (RDS): CANNOT KILL RDSADMIN SESSION';
  END IF;
  KILL thread;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_kill_query(IN thread BIGINT)
BEGIN
  DECLARE owner VARCHAR(96);
  SELECT processlist_user INTO owner FROM performance_schema.threads WHERE processlist_id = thread;
  IF owner IN ('rdsadmin', 'rdsrepladmin') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ERROR (RDS): CANNOT KILL RDSADMIN QUERY';
  END IF;
  KILL QUERY thread;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_start_replication()
BEGIN
  DECLARE waits, running INT DEFAULT 0;
  IF NOT EXISTS (SELECT 1 FROM performance_schema.replication_connection_configuration WHERE channel_name = '') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication is not configured on this host.';
  END IF;
  START REPLICA;
  SET SESSION sql_log_bin = 0;
  INSERT INTO mysql.rds_replication_status (called_by_user, action, mysql_version) VALUES (USER(), 'start slave', VERSION());
  SET SESSION sql_log_bin = 1;
  WHILE running < 2 AND waits < 10 DO
    DO SLEEP(0.5);
    SET waits = waits + 1;
    SELECT (SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE channel_name = '' AND service_state = 'ON')
         + (SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE channel_name = '' AND service_state = 'ON') INTO running;
  END WHILE;
  IF running = 2 THEN
    SELECT 'Replica running normally.' AS Message;
  ELSE
    SELECT 'Replica has encountered a new error. Please use SHOW REPLICA STATUS to see the error.' AS Message;
  END IF;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_stop_replication()
BEGIN
  STOP REPLICA;
  SET SESSION sql_log_bin = 0;
  INSERT INTO mysql.rds_replication_status (called_by_user, action, mysql_version) VALUES (USER(), 'stop slave', VERSION());
  SET SESSION sql_log_bin = 1;
  SELECT 'Replica is down or disabled' AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_start_replication_until(IN replication_log_file TEXT, IN replication_stop_point BIGINT UNSIGNED)
BEGIN
  SET @rds_statement = CONCAT('START REPLICA UNTIL SOURCE_LOG_FILE = ', QUOTE(replication_log_file), ', SOURCE_LOG_POS = ', replication_stop_point);
  PREPARE rds_statement FROM @rds_statement;
  EXECUTE rds_statement;
  DEALLOCATE PREPARE rds_statement;
  SELECT CONCAT('Replication started until ', replication_log_file, ' ', replication_stop_point) AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_start_replication_until_gtid(IN gtid TEXT)
BEGIN
  SET @rds_statement = CONCAT('START REPLICA UNTIL SQL_AFTER_GTIDS = ', QUOTE(gtid));
  PREPARE rds_statement FROM @rds_statement;
  EXECUTE rds_statement;
  DEALLOCATE PREPARE rds_statement;
  SELECT CONCAT('Replication started until ', gtid) AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_skip_repl_error()
BEGIN
  DECLARE failed INT;
  SELECT COUNT(*) INTO failed FROM performance_schema.replication_applier_status_by_worker WHERE channel_name = '' AND last_error_number <> 0;
  IF failed = 0 THEN
    SELECT 'Replica is running normally. No errors detected to skip.' AS Message;
  ELSE
    STOP REPLICA;
    SET GLOBAL sql_replica_skip_counter = 1;
    START REPLICA;
    SELECT 'Statement in error has been skipped' AS Message;
  END IF;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_skip_transaction_with_gtid(IN gtid_to_skip TEXT)
BEGIN
  STOP REPLICA;
  SET SESSION gtid_next = gtid_to_skip;
  START TRANSACTION;
  COMMIT;
  SET SESSION gtid_next = 'AUTOMATIC';
  START REPLICA;
  SELECT CONCAT('Transaction ', gtid_to_skip, ' has been skipped') AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_set_source_delay(IN delay INT)
BEGIN
  IF delay IS NULL OR delay NOT BETWEEN 0 AND 86400 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'For source delay the value must be between 0 and 86400 inclusive';
  END IF;
  STOP REPLICA SQL_THREAD;
  SET @rds_statement = CONCAT('CHANGE REPLICATION SOURCE TO SOURCE_DELAY = ', delay);
  PREPARE rds_statement FROM @rds_statement;
  EXECUTE rds_statement;
  DEALLOCATE PREPARE rds_statement;
  START REPLICA SQL_THREAD;
  SELECT CONCAT('source delay is set to ', delay) AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_set_external_source_gtid_purged(IN server_uuid CHAR(36), IN start_pos BIGINT, IN end_pos BIGINT)
BEGIN
  IF @@SESSION.autocommit = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'autocommit must be 1';
  END IF;
  SET GLOBAL gtid_purged = CONCAT('+', server_uuid, ':', start_pos, '-', end_pos);
  SELECT 'gtid_purged is set' AS Message;
END)",
};

const std::vector<std::string> named = {
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_reset_external_{word}()
BEGIN
  IF EXISTS (SELECT 1 FROM mysql.rds_sysinfo WHERE name = 'replica_of') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rds_reset_external_{word} is disabled on this host.';
  ELSEIF @@SESSION.autocommit = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'autocommit must be 1';
  END IF;
  STOP REPLICA;
  RESET REPLICA ALL;
  SET SESSION sql_log_bin = 0;
  INSERT INTO mysql.rds_history (called_by_user, action, mysql_version) VALUES (USER(), 'reset slave', VERSION());
  SET SESSION sql_log_bin = 1;
  SELECT 'Replica has been reset' AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_set_{word}_auto_position(IN auto_position_mode TINYINT(1))
BEGIN
  STOP REPLICA;
  SET @rds_statement = CONCAT('CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION = ', auto_position_mode);
  PREPARE rds_statement FROM @rds_statement;
  EXECUTE rds_statement;
  DEALLOCATE PREPARE rds_statement;
  START REPLICA;
  SELECT 'Source auto position has been set' AS Message;
END)",
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_next_{word}_log(IN curr_log INT)
BEGIN
  DECLARE file VARCHAR(512);
  DECLARE failure INT;
  SELECT c.last_error_number INTO failure FROM performance_schema.replication_connection_status AS c WHERE c.channel_name = '';
  IF failure IS NULL OR failure NOT IN (1236, 13114) THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication has no I/O error 1236; nothing was changed.';
  END IF;
  SELECT master_log_name INTO file FROM mysql.slave_master_info WHERE channel_name = '';
  STOP REPLICA;
  SET @rds_statement = CONCAT('CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE = ', QUOTE(CONCAT(SUBSTRING_INDEX(file, '.', 1), '.', LPAD(curr_log + 1, 6, '0'))), ', SOURCE_LOG_POS = 4');
  PREPARE rds_statement FROM @rds_statement;
  EXECUTE rds_statement;
  DEALLOCATE PREPARE rds_statement;
  START REPLICA;
  SELECT 'Replication goes on with the next log' AS Message;
END)",
};

// The certificate of the source is never verified, as on RDS.
const std::string set_external =
    R"(CREATE DEFINER=rdsadmin@localhost PROCEDURE mysql.rds_set_external_{word}{name}(IN host VARCHAR(255), IN port INT, IN user TEXT, IN passwd TEXT, {position parameters}IN enable_ssl_encryption TINYINT(1){delay parameter})
BEGIN
  IF @@SESSION.autocommit = 0 THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'autocommit must be 1';
  ELSEIF EXISTS (SELECT 1 FROM mysql.rds_sysinfo WHERE name = 'replica_of') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'rds_set_external_{word}{name} is disabled on this host.';
  ELSEIF EXISTS (SELECT 1 FROM performance_schema.replication_connection_status WHERE channel_name = '' AND service_state <> 'OFF') THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'Replication is running; call mysql.rds_stop_replication first.';
  END IF;
  SET @rds_statement = CONCAT('CHANGE REPLICATION SOURCE TO SOURCE_HOST = ', QUOTE(host), ', SOURCE_PORT = ', port,
    ', SOURCE_USER = ', QUOTE(user), ', SOURCE_PASSWORD = ', QUOTE(passwd), {place},
    ', SOURCE_SSL = ', enable_ssl_encryption, ', SOURCE_SSL_VERIFY_SERVER_CERT = 0, SOURCE_DELAY = ', {delay});
  PREPARE rds_statement FROM @rds_statement;
  EXECUTE rds_statement;
  DEALLOCATE PREPARE rds_statement;
  SET @rds_statement = NULL;
  SET SESSION sql_log_bin = 0;
  INSERT INTO mysql.rds_history (called_by_user, action, mysql_version, master_host, master_port, master_user, master_log_file, master_log_pos, master_ssl)
    VALUES (USER(), 'set master', VERSION(), host, port, user, {file}, {position}, enable_ssl_encryption);
  INSERT INTO mysql.rds_replication_status (called_by_user, action, mysql_version) VALUES (USER(), 'set master', VERSION());
  SET SESSION sql_log_bin = 1;
END)";

}  // namespace reseal::sandbox::rds::texts
