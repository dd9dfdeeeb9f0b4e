/* SPDX-License-Identifier: Apache-2.0
 *
 * The copy's bookmark and the start of strict following, as a model for spin. See docs/correctness.md, "The copy".
 * tools/model checks it: the right variants must hold, and each planted mistake must be found.
 *
 * The source has two keys. A transaction writes, deletes or moves a row. It is first in the binary log and only later,
 * after a delay of any length, committed in the engine: only then do reads see it, does @@gtid_executed hold it, and
 * are its row locks free again. The tool takes a bookmark, reads each key as a chunk of its own at some later moment, in
 * any order, writes a marker, and then replays the log from the bookmark: idempotently up to the marker, strictly after
 * it. It may replay a transaction that the engine has not committed yet.
 *
 * Variants, by -D:
 *   (none)              the bookmark is the set of transactions committed in the engine (GTID)
 *   BY_FILE             the log's end is read, then a marker commits; the bookmark is that end (no GTID)
 *   LOG_END             planted mistake: the log's end is taken as it is
 *   UNORDERED           planted mistake with BY_FILE: the engine commits in any order (binlog_order_commits=OFF)
 *   EARLY_STRICT        planted mistake: strict from the bookmark on, not from the marker after the last chunk
 */

#define APPLICATION 3 /* transactions of the application */
#define ENTRIES 5     /* of the log: those and two markers */

#define NOTHING 0
#define PUT 1
#define REMOVE 2
#define MOVE 3 /* to the other key */

byte operation[ENTRIES];
byte key[ENTRIES];
bool existed[ENTRIES]; /* a PUT that is an update */
bool committed[ENTRIES];
byte logged = 0;       /* entries in the log */
byte uncommitted = 0;

/* A row is a version number, 0 when it is not there. */
byte visible[2];  /* what reads of the source see */
byte newest[2];   /* what the transaction that holds the row's lock sees: the state in log order */
bool locked[2];
bool application_ended = false;

byte target[2];
bool in_bookmark[ENTRIES];
byte strict_from = ENTRIES;

inline append(what, row) {
  operation[logged] = what;
  key[logged] = row;
  logged++;
  uncommitted++
}

/* Writes to the log; the engine follows later. */
proctype application() {
  byte count = 0;
  do
  :: count < APPLICATION ->
     if
     :: atomic { !locked[0] -> locked[0] = true; existed[logged] = (newest[0] != 0); newest[0] = logged + 1; append(PUT, 0) }
     :: atomic { !locked[1] -> locked[1] = true; existed[logged] = (newest[1] != 0); newest[1] = logged + 1; append(PUT, 1) }
     :: atomic { !locked[0] && newest[0] != 0 -> locked[0] = true; newest[0] = 0; append(REMOVE, 0) }
     :: atomic { !locked[1] && newest[1] != 0 -> locked[1] = true; newest[1] = 0; append(REMOVE, 1) }
     :: atomic { !locked[0] && !locked[1] && newest[0] != 0 && newest[1] == 0 ->
                 locked[0] = true; locked[1] = true; newest[0] = 0; newest[1] = logged + 1; append(MOVE, 0) }
     :: atomic { !locked[0] && !locked[1] && newest[1] != 0 && newest[0] == 0 ->
                 locked[0] = true; locked[1] = true; newest[1] = 0; newest[0] = logged + 1; append(MOVE, 1) }
     fi;
     count++
  :: break
  od;
  application_ended = true
}

/* What entry `i` does to `rows`: `i + 1` is the version that it writes. */
#define CHANGE(rows, i)                                               \
  if                                                                  \
  :: operation[i] == PUT -> rows[key[i]] = i + 1                      \
  :: operation[i] == REMOVE -> rows[key[i]] = 0                       \
  :: operation[i] == MOVE -> rows[key[i]] = 0; rows[1 - key[i]] = i + 1 \
  :: else -> skip                                                     \
  fi

inline commit(i) {
  CHANGE(visible, i);
  if
  :: operation[i] == MOVE -> locked[0] = false; locked[1] = false
  :: operation[i] == PUT || operation[i] == REMOVE -> locked[key[i]] = false
  :: else -> skip
  fi;
  committed[i] = true;
  uncommitted--
}

proctype engine() {
  byte next;
end:
  do
  :: atomic {
       uncommitted > 0 ->
#ifdef UNORDERED
       if
       :: logged > 0 && !committed[0] -> next = 0
       :: logged > 1 && !committed[1] -> next = 1
       :: logged > 2 && !committed[2] -> next = 2
       :: logged > 3 && !committed[3] -> next = 3
       :: logged > 4 && !committed[4] -> next = 4
       fi;
#else
       next = 0;
       do
       :: committed[next] -> next++
       :: else -> break
       od;
#endif
       commit(next)
     }
  od
}

inline note_log_end() {
  i = 0;
  do
  :: i < logged -> in_bookmark[i] = true; i++
  :: else -> break
  od
}

inline note_committed() {
  i = 0;
  do
  :: i < logged -> in_bookmark[i] = committed[i]; i++
  :: else -> break
  od
}

/* Applies entry `i`; under strict what the log says must be what the target holds. */
inline apply(i) {
  if
  :: i >= strict_from && operation[i] == PUT -> assert(existed[i] == (target[key[i]] != 0))
  :: i >= strict_from && operation[i] == REMOVE -> assert(target[key[i]] != 0)
  :: i >= strict_from && operation[i] == MOVE -> assert(target[key[i]] != 0 && target[1 - key[i]] == 0)
  :: else -> skip
  fi;
  CHANGE(target, i)
}

proctype tool() {
  byte i;
  byte marker;
  bool first_key;

#if defined(BY_FILE)
  atomic { note_log_end() };
  atomic { marker = logged; append(NOTHING, 0) };
  committed[marker];
#elif defined(LOG_END)
  atomic { note_log_end() };
#else
  atomic { note_committed() };
#endif
#ifdef EARLY_STRICT
  strict_from = 0;
#endif

  if
  :: first_key = 0
  :: first_key = 1
  fi;
  target[first_key] = visible[first_key];
  target[1 - first_key] = visible[1 - first_key];

#ifndef EARLY_STRICT
  atomic { strict_from = logged; append(NOTHING, 0) };
#endif

  i = 0;
  do
  :: i < logged ->
     atomic {
       if
       :: in_bookmark[i] -> skip
       :: else -> apply(i)
       fi;
       i++
     }
  :: i == logged && application_ended && uncommitted == 0 -> break
  od;
  assert(target[0] == visible[0] && target[1] == visible[1])
}

init {
  atomic {
    if
    :: skip
    :: visible[0] = 100; newest[0] = 100
    :: visible[0] = 100; newest[0] = 100; visible[1] = 101; newest[1] = 101
    fi;
    run application();
    run engine();
    run tool()
  }
}
