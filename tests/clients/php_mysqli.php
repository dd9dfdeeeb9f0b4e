<?php
// SPDX-License-Identifier: Apache-2.0
// A client of tools/clients: PHP's mysqli over mysqlnd.
//   php php_mysqli.php HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME
// Its pool is that of persistent connections, which mysqli takes up again with COM_CHANGE_USER.
declare(strict_types=1);

mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
[, $host, $port, $user, $password_file, $ca, $folder, $name] = $argv;
$password = trim(file_get_contents($password_file));
const MODE = 'STRICT_TRANS_TABLES,NO_ZERO_DATE';
const INSERT = 'INSERT INTO work (client, kind, number, part, words, bytes, document, maybe)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
const SELECT = 'SELECT words, bytes, document FROM work WHERE client = ? AND kind = ? AND number = ?';
$longest = 0;

function words(int $number): string { return "Grüße 北京 🎉 $number"; }
function all_bytes(int $number): string {
  $all = implode('', array_map('chr', range(0, 255)));
  return substr($all, $number % 256) . substr($all, 0, $number % 256);
}
function document(int $number): string {
  return json_encode(['number' => $number, 'words' => words($number), 'list' => [1, 2.5, null]]);
}
function note(string $suffix, string $line): void {
  global $folder, $name;
  file_put_contents("$folder/$name$suffix", str_replace("\n", ' ', $line) . "\n", FILE_APPEND);
}
function expect(string $what, mixed $wanted, mixed $seen): void {
  if ($wanted !== $seen)
    throw new Exception("wrong $what: " . json_encode($seen, JSON_INVALID_UTF8_SUBSTITUTE) . ' and not '
      . json_encode($wanted, JSON_INVALID_UTF8_SUBSTITUTE));
}
function timed(callable $work): mixed {
  global $longest;
  $begin = hrtime(true);
  $answer = $work();
  $longest = max($longest, intdiv(hrtime(true) - $begin, 1000000));
  return $answer;
}

function connect(bool $persistent): mysqli {
  global $host, $port, $user, $password, $ca;
  $connection = mysqli_init();
  $connection->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, false);
  if ($ca !== '-') $connection->ssl_set(null, null, $ca, null, null);
  // mysqlnd checks the host name with the chain, and the servers' own certificates name none.
  $flags = $ca === '-' ? 0 : MYSQLI_CLIENT_SSL | MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT;
  if (getenv('RESEAL_CLIENT_COMPRESSION')) $flags |= MYSQLI_CLIENT_COMPRESS;
  timed(fn() => $connection->real_connect(($persistent ? 'p:' : '') . $host, $user, $password, 'clients', (int)$port,
    null, $flags));
  $connection->set_charset('utf8mb4');
  return $connection;
}

final class Work {
  public mysqli $text;
  public mysqli $held;
  public mysqli_stmt $insert;
  public mysqli_stmt $select;
  public string $mark;
  // What the two statements are bound to, once, so that the types are sent once.
  public int $number = 0;
  public int $part = 1;
  public string $kind = 'prepared';
  public string $words = '';
  public string $bytes = '';
  public string $document = '';
  public ?int $maybe = null;

  public function __construct() {
    global $name;
    $this->mark = "$name ü 🎉";
    [$this->text, $this->held] = [connect(false), connect(false)];
    foreach ([$this->text, $this->held] as $connection)
      $connection->query("SET time_zone = '+05:30', sql_mode = '" . MODE . "', @mark = '$this->mark', @amount = 2.50");
    $this->insert = $this->held->prepare(INSERT);
    $this->select = $this->held->prepare(SELECT);
    $this->insert->bind_param('ssiisssi', $name, $this->kind, $this->number, $this->part, $this->words, $this->bytes,
      $this->document, $this->maybe);
    $this->select->bind_param('ssi', $name, $this->kind, $this->number);
  }

  public function plain(mysqli $on, string $kind, int $number, int $part): void {
    global $name;
    $bytes = bin2hex(all_bytes($number));
    $document = $on->real_escape_string(document($number));
    timed(fn() => $on->query("INSERT INTO work (client, kind, number, part, words, bytes, document) VALUES "
      . "('$name', '$kind', $number, $part, '" . words($number) . "', x'$bytes', '$document')"));
    expect('affected rows', 1, $on->affected_rows);
  }

  public function single(int $number): void {
    $this->plain($this->text, 'single', $number, 1);
    note('.acknowledged', "single $number");
    $told = $this->text->insert_id;
    expect('last insert id', (string)$told,
      timed(fn() => $this->text->query('SELECT LAST_INSERT_ID()'))->fetch_row()[0]);
  }

  public function pair(int $number): void {
    timed(fn() => $this->text->begin_transaction());
    $this->plain($this->text, 'pair', $number, 1);
    $this->plain($this->text, 'pair', $number, 2);
    timed(fn() => $this->text->commit());
    note('.acknowledged', "pair $number");
  }

  public function prepared(int $number): void {
    $this->number = $number;
    [$this->words, $this->bytes, $this->document] = [words($number), all_bytes($number), document($number)];
    $this->maybe = $number % 2 === 1 ? null : $number;
    timed(fn() => $this->insert->execute());
    expect('affected rows', 1, $this->insert->affected_rows);
    note('.acknowledged', "prepared $number");
    timed(fn() => $this->select->execute());
    $row = $this->select->get_result()->fetch_row();
    expect('words', $this->words, $row[0]);
    expect('bytes', $this->bytes, $row[1]);
    expect('document', ['list' => [1, 2.5, null], 'words' => $this->words, 'number' => $number],
      json_decode($row[2], true));
  }

  public function look(): void {
    foreach ([$this->text, $this->held] as $connection)
      expect('session', ['+05:30', MODE, $this->mark, '2.50', 'utf8mb4', '1', 'clients'],
        timed(fn() => $connection->query('SELECT @@time_zone, @@sql_mode, @mark, CAST(@amount AS CHAR),
          @@character_set_client, @@autocommit, DATABASE()'))->fetch_row());
  }

  public function pooled(int $number): void {
    $connection = connect(true);
    $connection->query("SET time_zone = '-03:00', @mark = 'left over'");
    $this->plain($connection, 'pooled', $number, 1);
    note('.acknowledged', "pooled $number");
    $connection->close();  // back to the pool
    $connection = connect(true);
    expect('state of a connection from the pool', ['SYSTEM', null],
      timed(fn() => $connection->query('SELECT @@time_zone, @mark'))->fetch_row());
    $connection->close();
  }
}

$work = null;
for ($number = 1; !file_exists("$folder/stop"); ++$number) {
  try {
    $work ??= new Work();
    $work->single($number);
    $work->pair($number);
    $work->prepared($number);
    $work->look();
    $work->pooled($number);
  } catch (Throwable $error) {
    note('.errors', get_class($error) . ' ' . $error->getCode() . ': ' . $error->getMessage());
    $work = null;
    usleep(200000);
  }
  clearstatcache();
  usleep(50000);
}
note('.summary', 'version=' . PHP_VERSION . " longest_wait_ms=$longest");
