// SPDX-License-Identifier: Apache-2.0
// A client of tools/clients: Node's mysql2.
//   node node_mysql2.mjs HOST PORT USER PASSWORD_FILE CA_FILE|- FOLDER NAME
// RESEAL_NODE_MODULES names the folder that mysql2 is installed in. Its pool resets connections that come back, and
// every second time that one is taken its user is changed too.
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

const load = createRequire(process.env.RESEAL_NODE_MODULES + '/');
const mysql = load('mysql2/promise');
const { version } = load('mysql2/package.json');
const [host, port, user, passwordFile, ca, folder, name] = process.argv.slice(2);
const password = readFileSync(passwordFile, 'utf8').trim();
const mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE';
const mark = `${name} ü 🎉`;
const INSERT =
  'INSERT INTO work (client, kind, number, part, words, bytes, document, maybe) VALUES (?, ?, ?, ?, ?, ?, ?, ?)';
const SELECT = 'SELECT words, bytes, document FROM work WHERE client = ? AND kind = ? AND number = ?';
const LOOK = 'SELECT @@time_zone, @@sql_mode, @mark, CAST(@amount AS CHAR), @@character_set_client, ' +
  '@@autocommit, DATABASE()';
let longest = 0;

const options = {
  host, port: Number(port), user, password, database: 'clients', charset: 'utf8mb4', rowsAsArray: true,
  compress: Boolean(process.env.RESEAL_CLIENT_COMPRESSION),
  ssl: ca === '-' ? undefined : { ca: readFileSync(ca), verifyIdentity: false },
};
const words = (number) => `Grüße 北京 🎉 ${number}`;
const bytes = (number) => Buffer.from(Array.from({ length: 256 }, (_, at) => (at + number) % 256));
const document = (number) => ({ number, words: words(number), list: [1, 2.5, null] });
const values = (kind, number, part) =>
  [name, kind, number, part, words(number), bytes(number), JSON.stringify(document(number)),
    number % 2 === 1 ? null : number];
const note = (suffix, line) => appendFileSync(`${folder}/${name}${suffix}`, line.replaceAll('\n', ' ') + '\n');
const failed = (error) => note('.errors', `${error.errno ?? ''} ${error.code ?? ''} ${error.message}`);

function expect(what, wanted, seen) {
  if (!isDeepStrictEqual(wanted, seen))
    throw new Error(`wrong ${what}: ${JSON.stringify(seen)} and not ${JSON.stringify(wanted)}`);
}

async function timed(work) {
  const begin = performance.now();
  const answer = await work;
  longest = Math.max(longest, performance.now() - begin);
  return answer;
}

async function insert(connection, how, kind, number, part) {
  const [result] = await timed(connection[how](INSERT, values(kind, number, part)));
  expect('affected rows', 1, result.affectedRows);
  return result.insertId;
}

async function connect() {
  const connection = await mysql.createConnection(options);
  connection.on('error', () => {});  // the statement that meets it tells
  await connection.query("SET time_zone = '+05:30', sql_mode = ?, @mark = ?, @amount = 2.50", [mode, mark]);
  return connection;
}

async function look(connection, how) {
  const [[row]] = await timed(connection[how](LOOK));
  expect('session', ['+05:30', mode, mark, '2.50', 'utf8mb4', 1, 'clients'], row);
}

async function single(connection, number) {
  const told = await insert(connection, 'query', 'single', number, 1);
  note('.acknowledged', `single ${number}`);
  const [[row]] = await timed(connection.query('SELECT LAST_INSERT_ID()'));
  expect('last insert id', told, row[0]);
}

async function pair(connection, number) {
  await timed(connection.beginTransaction());
  await insert(connection, 'query', 'pair', number, 1);
  await insert(connection, 'query', 'pair', number, 2);
  await timed(connection.commit());
  note('.acknowledged', `pair ${number}`);
}

async function prepared(connection, number) {
  await insert(connection, 'execute', 'prepared', number, 1);
  note('.acknowledged', `prepared ${number}`);
  const [[row]] = await timed(connection.execute(SELECT, [name, 'prepared', number]));
  expect('words', words(number), row[0]);
  expect('bytes', bytes(number), row[1]);
  expect('document', document(number), row[2]);
}

async function pooled(pool, number) {
  const connection = await timed(pool.getConnection());
  try {
    if (number % 2 === 0)
      await timed(connection.changeUser({ user, password, database: 'clients', charset: 'utf8mb4' }));
    const [[row]] = await timed(connection.query('SELECT @@time_zone, @mark'));
    expect('state of a connection from the pool', ['SYSTEM', null], row);
    await connection.query("SET time_zone = '-03:00', @mark = 'left over'");
    await insert(connection, 'execute', 'pooled', number, 1);
    note('.acknowledged', `pooled ${number}`);
    connection.release();
  } catch (error) {
    connection.destroy();
    throw error;
  }
}

// Runs `step` over and over on what `open` makes; after an error on a new one.
async function loop(open, step) {
  let at;
  for (let number = 1; !existsSync(`${folder}/stop`); ++number) {
    try {
      at ??= await open();
      await step(at, number);
    } catch (error) {
      failed(error);
      if (at?.destroy) at.destroy();
      at = undefined;
      await sleep(200);
    }
    await sleep(50);
  }
  if (at) await at.end().catch(failed);
}

await Promise.all([
  loop(connect, async (connection, number) => {
    await single(connection, number);
    await pair(connection, number);
    await look(connection, 'query');
  }),
  loop(connect, async (connection, number) => {
    await prepared(connection, number);
    await look(connection, 'execute');
  }),
  loop(async () => mysql.createPool({ ...options, connectionLimit: 3, resetOnRelease: true }), async (pool, number) => {
    await Promise.all([1, 2, 3].map((one) => pooled(pool, number * 3 + one)));
  }),
]);
note('.summary', `version=${version} longest_wait_ms=${Math.round(longest)}`);
