/* SPDX-License-Identifier: Apache-2.0
 *
 * The switch through proxies, as a model for spin. See docs/correctness.md, "The switch".
 * tools/model checks it: the right variants must hold, and each planted mistake must be found.
 *
 * Two servers, two proxies with one client each, one client that goes around the proxies, and two tools: the second
 * starts at any time, while the first is at work, paused or dead, and the first may go on at any time. A tool may die
 * and give up anywhere; leases end at any time; a proxy or a server crashes at any time (`CRASHES` of them in a run).
 * What is sent to a server is an order that is carried out at any later time, or never; who sent it may have gone on or
 * died. It is gone only when its session has been ended.
 *
 * Every state is checked by the assertions. When nothing moves any more, the last process looks whether every proxy
 * serves, from the server that serves, and that one takes writes. A tool that tells a proxy to look at the record is not
 * there: the proxy then does what it does when its lease ends.
 *
 * Variants, by -D:
 *   (none)             two tools, two proxies, no crash
 *   CRASHES=1          a crash of a server or of the first proxy
 *   ONE_TOOL, PROXIES=1, WRITES1=0, DIRECT=0   less: no second tool or proxy; the second proxy's client, or the client
 *                      that goes around the proxies, does not write
 *   HAND               with ONE_TOOL: somebody lowers the fence by hand, once, before the second look at it
 *   BELIEVE            a proxy that holds goes where the tool says and does not read the record
 * Planted mistakes:
 *   POSITION_FIRST     the last position is read before the fence is raised
 *   OPEN_WRITERS       what the fence has let pass is not waited for
 *   DRAIN_SKIPPED      the decision comes before the target holds everything
 *   NOT_FROZEN         the follow goes on after the drain
 *   NO_SECOND_LOOK     with HAND: the decision is taken without looking at fence and position again
 *   OPEN_EARLY         the target opens before the decision
 *   UNCLOSED           backing out while the decision may be on its way, without closing the epoch
 *   LOWER_DECIDED      the fence is lowered although it was decided
 *   UNANSWERED_LEFT    backing out while an order without an answer may still be carried out
 *   SAME_EPOCH         a tool that starts goes on with the number that it finds
 *   NO_CLAIM           a tool that starts takes no number and ends no sessions: as the protocol was first written
 *   NO_ENDING          a new number ends no sessions
 *   UNCHECKED          who lost a session opens a new one and goes on without reading the record
 *   LATE_LOWER         with CRASHES=1: a new number ends the tools' sessions, not the proxies'
 *   LEASE_SOURCE, LEASE_TARGET   a proxy whose lease ends guesses
 *   LEASE_LEAVES_TOOL  a proxy lowers the fence and leaves the tools' sessions: the fence may go up again, for good
 *   END_FIRST          with CRASHES=1: a proxy ends the tools' sessions before it reads that the epoch is closed
 *   RESTART_SOURCE     with CRASHES=1: a proxy that starts takes the source without reading the record
 *   OWN_ROW            with CRASHES=1: a proxy goes by the row of the epoch it holds for, not by the latest
 *   OLDER_EPOCH        with OWN_ROW: a proxy accepts an older epoch
 *   FENCE_FORGOTTEN    with CRASHES=1: the source comes back without its fence
 */

#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef PROXIES
#define PROXIES 2
#endif
#define QUIET (!running[0] && !running[1] && !running[2])
#ifndef WRITES0
#define WRITES0 1
#endif
#ifndef WRITES1
#define WRITES1 1
#endif
#ifndef DIRECT
#define DIRECT 1
#endif

/* What serves: a row of `decision`, and what a proxy uses. */
#define NOTHING 0
#define SOURCE 1
#define TARGET 2

/* The order in a session of a tool or a proxy. */
#define RAISE 1
#define LOWER 2
#define CREATE 3
#define DROP 4
#define OPEN 5
#define DONE 6
#define ENDED 7 /* there is no session */

#ifdef HAND
#define HANDS true
#else
#define HANDS false
#endif

#define EPOCHS 4

bool fenced;            /* the source, durable */
bool opened;            /* the target, durable */
bool triggers;          /* on the target, durable */
byte greatest;          /* in `attempt`: every number up to this is there */
byte decision[EPOCHS];  /* on the target, durable */
byte logged;            /* transactions in the source's log */
byte applied;           /* of them on the target */
bool written;           /* a client has committed on the target */
byte following;         /* whose follow applies: tool + 1 */
byte crashes = CRASHES;

byte source_order[4] = ENDED; /* tools 0, 1; proxies 2, 3 */
byte target_order[2] = ENDED;
bool deciding[2];             /* a decision for the target is on its way */

byte own[2];     /* the greatest number that the tool has inserted */
byte asked[2];   /* messages to a proxy and from it */
byte held[2];
#ifdef BELIEVE
byte told[2];
byte word[2];
#endif

bool running[3]; /* a transaction that the fence lets pass, not yet in the log: clients of the proxies, the other one */
byte left[3];

#define SERVES 0
#define WAITS 1  /* for its client's transaction */
#define HOLDS 2
#define LOOKS 3
#define ENDS 5 /* the sessions of the tools on the source */
#define LOWERS 6
byte doing[2];
byte side[2] = SOURCE;
byte epoch[2];   /* the greatest that the proxy has seen */

bool watched;    /* tool 0 is between the fence and its second look */
bool hand = false;
#ifdef UNANSWERED_LEFT
bool late_raise;
bool late_create;
#endif

#define DECIDED (decision[1] == TARGET || decision[2] == TARGET || decision[3] == TARGET)

inline write_on_target() {
  assert(DECIDED && triggers && logged == applied);
  written = true
}

inline end_sessions_on_source(i) { /* of tool i */
  source_order[i] = ENDED
}

inline end_sessions_on_target(i) {
  target_order[i] = ENDED;
  deciding[i] = false;
  if
  :: following == i + 1 -> following = 0
  :: else -> skip
  fi
}

inline end_other_sessions() {
#ifndef NO_ENDING
  atomic {
    end_sessions_on_source(1 - t);
#ifndef LATE_LOWER
    source_order[2] = ENDED; source_order[3] = ENDED;
#endif
    end_sessions_on_target(1 - t)
  }
#endif
  skip
}

/* What has no answer is not left on its way. */
inline end_unanswered() {
#ifdef UNANSWERED_LEFT
  late_raise = late_raise || source_order[t] == RAISE;
  late_create = late_create || target_order[t] == CREATE;
#endif
  if
  :: source_order[t] == RAISE -> source_order[t] = ENDED
  :: else
  fi;
  if
  :: target_order[t] == CREATE -> target_order[t] = ENDED
  :: else
  fi
}

inline close(e) {
  if
  :: decision[e] == NOTHING -> decision[e] = SOURCE
  :: else -> skip
  fi
}

#ifdef OWN_ROW
#define ROW (epoch[p] == 0 -> greatest : epoch[p])
#define TARGET_SERVES (decision[ROW] == TARGET)
#else
#define ROW greatest
#define TARGET_SERVES DECIDED
#endif

proctype proxy(byte p) {
end:
  do
  :: atomic { doing[p] == SERVES && side[p] == SOURCE && left[p] > 0 && !running[p] && !fenced ->
       assert(!DECIDED); left[p]--; running[p] = true }
  :: atomic { doing[p] == SERVES && side[p] == TARGET && left[p] > 0 && opened ->
       left[p]--; write_on_target() }

  :: atomic { asked[p] != 0 && doing[p] <= HOLDS ->
       if
#ifdef OLDER_EPOCH
       :: true ->
#else
       :: asked[p] > epoch[p] || (asked[p] == epoch[p] && doing[p] == HOLDS) ->
#endif
            epoch[p] = asked[p]; doing[p] = WAITS
       :: else
       fi;
       asked[p] = 0 }
  :: atomic { doing[p] == WAITS && !running[p] -> doing[p] = HOLDS; held[p] = epoch[p] }
  :: atomic { doing[p] == WAITS || doing[p] == HOLDS -> /* the lease ends */
#ifdef LEASE_SOURCE
       source_order[p + 2] = LOWER; doing[p] = LOWERS }
#elif defined(LEASE_TARGET)
       opened = true; side[p] = TARGET; doing[p] = SERVES }
#else
       close(epoch[p]); doing[p] = LOOKS }
#endif
#ifdef BELIEVE
  :: atomic { doing[p] == HOLDS && told[p] != 0 && told[p] >= epoch[p] ->
       side[p] = word[p]; doing[p] = SERVES; told[p] = 0 }
#endif

#ifdef END_FIRST
  :: atomic { doing[p] == LOOKS -> end_sessions_on_source(0); end_sessions_on_source(1); doing[p] = LOOKS + 1 }
  :: atomic { doing[p] == LOOKS + 1 ->
#else
  /* Opens a session on the source, then reads the record. */
  :: atomic { doing[p] == LOOKS ->
#endif
       if
       :: TARGET_SERVES -> opened = true; side[p] = TARGET; doing[p] = SERVES
       :: !TARGET_SERVES && decision[ROW] == SOURCE -> source_order[p + 2] = NOTHING; doing[p] = ENDS
       :: !TARGET_SERVES && decision[ROW] == NOTHING -> epoch[p] = greatest; doing[p] = HOLDS
       fi }
  :: atomic { doing[p] == ENDS && source_order[p + 2] == NOTHING ->
#if !defined(END_FIRST) && !defined(LEASE_LEAVES_TOOL)
       end_sessions_on_source(0); end_sessions_on_source(1);
#endif
       source_order[p + 2] = LOWER; doing[p] = LOWERS }
  :: atomic { doing[p] == ENDS && source_order[p + 2] == ENDED -> doing[p] = LOOKS }
  :: atomic { doing[p] == LOWERS && source_order[p + 2] == DONE ->
       source_order[p + 2] = ENDED; assert(!DECIDED); side[p] = SOURCE; doing[p] = SERVES }
  :: atomic { doing[p] == LOWERS && source_order[p + 2] == ENDED -> doing[p] = LOOKS }

  :: atomic { p == 0 && crashes > 0 && doing[p] != LOOKS -> crashes--; epoch[p] = 0;
#ifdef RESTART_SOURCE
       side[p] = SOURCE; doing[p] = SERVES }
#else
       doing[p] = LOOKS }
#endif
  od
}

#define ON_SOURCE(i)                                                             \
  :: atomic { source_order[i] == RAISE -> fenced = true; source_order[i] = DONE } \
  :: atomic { source_order[i] == LOWER -> assert(!DECIDED); fenced = false; source_order[i] = DONE }

#define ON_TARGET(i)                                                                                           \
  :: atomic { target_order[i] == CREATE -> triggers = true; target_order[i] = DONE }                           \
  :: atomic { target_order[i] == DROP -> assert(!DECIDED); triggers = false; target_order[i] = DONE }          \
  :: atomic { target_order[i] == OPEN -> assert(DECIDED && following == 0); opened = true; target_order[i] = DONE } \
  :: atomic { deciding[i] -> deciding[i] = false;                                                               \
       if                                                                                                       \
       :: decision[own[i]] == NOTHING -> decision[own[i]] = TARGET                                              \
       :: else -> skip                                                                                          \
       fi }

#define COMMITS(i) \
  :: atomic { running[i] -> assert(!written); running[i] = false; logged++ }

proctype servers() {
end:
  do
  ON_SOURCE(0)
  ON_SOURCE(1)
  ON_SOURCE(2)
  ON_SOURCE(3)
  ON_TARGET(0)
  ON_TARGET(1)
  COMMITS(0)
  COMMITS(1)
  COMMITS(2)
  :: atomic { following != 0 && applied < logged -> assert(!triggers && !written); applied++ }
#ifdef UNANSWERED_LEFT
  :: atomic { late_raise -> late_raise = false; fenced = true }
  :: atomic { late_create -> late_create = false; triggers = true }
#endif
  /* The client that goes around the proxies, or a statement that a proxy's crash has left behind. */
  :: atomic { left[2] > 0 && !running[2] && !fenced -> left[2]--; running[2] = true }
  :: atomic { left[2] > 0 && opened -> left[2]--; write_on_target() }
#if CRASHES > 0
  :: atomic { crashes > 0 -> crashes--;
       source_order[0] = ENDED; source_order[1] = ENDED; source_order[2] = ENDED; source_order[3] = ENDED;
#ifdef FENCE_FORGOTTEN
       fenced = false;
#endif
       running[0] = false; running[1] = false; running[2] = false }
  :: atomic { crashes > 0 -> crashes--;
       target_order[0] = ENDED; target_order[1] = ENDED; deciding[0] = false; deciding[1] = false }
#endif
#ifdef HAND
  :: atomic { watched && !hand -> hand = true; fenced = false }
#endif
  od
}


#ifdef UNCHECKED
#define MINE true
#else
#define MINE (greatest == own[t])
#endif

/* In a session that is there, or in a new one if the record, read after it was opened, still lets the tool act. */
#define SEND(order, what, allowed, otherwise)          \
  atomic {                                             \
    if                                                 \
    :: order != ENDED || (allowed) -> order = what     \
    :: else -> goto otherwise                          \
    fi                                                 \
  }

#ifdef BELIEVE
#define TELL(what) told[0] = own[t]; told[1] = own[t]; word[0] = what; word[1] = what
#else
#define TELL(what) skip
#endif

/* A step before the decision: it may fail, and the tool may die in it. */
#define STEP(what)  \
  if                \
  :: atomic { what } \
  :: goto back_out  \
  :: goto stops     \
  fi

proctype tool(byte t) {
  byte final;
  bool tried;

  if
  :: t == 0 -> goto attempt
  :: t == 1
  fi;

starts:
  atomic {
#ifdef SAME_EPOCH
    own[1] = greatest; following = 2;
#else
    close(greatest); own[1] = greatest;
#endif
    if
    :: DECIDED -> goto forward
    :: !DECIDED
    fi
  };
#ifdef SAME_EPOCH
  goto again;
#endif
#ifndef NO_CLAIM
  atomic {
    if
    :: own[1] == greatest -> greatest++; own[1] = greatest; decision[greatest] = SOURCE
    :: else -> goto starts
    fi
  };
  end_other_sessions();
#endif
  goto back_out;

attempt:
  atomic {
    if
#ifdef NO_CLAIM
    :: decision[greatest] != NOTHING -> greatest++; own[t] = greatest
#else
    :: own[t] == greatest -> assert(decision[greatest] == SOURCE); greatest++; own[t] = greatest
#endif
    :: else -> goto stops
    fi
  };
  end_other_sessions();
again:
  atomic { asked[0] = own[t]; asked[1] = own[t] };
  STEP(held[0] == own[t] && held[PROXIES - 1] == own[t] -> held[0] = 0; held[1] = 0);
#ifdef POSITION_FIRST
  final = logged;
#endif
  SEND(source_order[t], RAISE, MINE && decision[greatest] == NOTHING, back_out);
  STEP(source_order[t] == DONE -> source_order[t] = NOTHING; watched = HANDS);
#if defined(POSITION_FIRST)
  STEP(QUIET -> skip);
#elif defined(OPEN_WRITERS)
  STEP(final = logged);
#else
  STEP(QUIET -> final = logged);
#endif
#ifndef DRAIN_SKIPPED
  STEP(applied >= final -> skip);
#endif
#ifdef NOT_FROZEN
#define FREEZE skip
#else
#define FREEZE following = 0
#endif
  STEP(following == t + 1 -> FREEZE; assert(hand || decision[own[t]] == SOURCE || (QUIET && logged == applied)));
  SEND(target_order[t], CREATE, MINE, back_out);
  STEP(target_order[t] == DONE -> target_order[t] = NOTHING);
#ifdef OPEN_EARLY
  SEND(target_order[t], OPEN, MINE, back_out);
  STEP(target_order[t] == DONE -> target_order[t] = NOTHING);
#endif
#ifndef NO_SECOND_LOOK
  STEP(fenced && logged == final -> final = 0; watched = false);
#else
  watched = false;
#endif
  STEP(target_order[t] != ENDED -> deciding[t] = true);
  STEP(!deciding[t] && target_order[t] != ENDED && decision[own[t]] == TARGET -> goto forward);

back_out:
  if
  :: atomic {
       final = 0; watched = false; end_unanswered();
#ifndef UNCLOSED
       close(own[t]);
#endif
#ifndef LOWER_DECIDED
       if
       :: DECIDED -> goto forward
       :: !DECIDED
       fi
#endif
     }
  :: goto stops
  fi;
drop:
  SEND(target_order[t], DROP, MINE, stops);
  if
  :: atomic { target_order[t] == DONE -> target_order[t] = NOTHING; following = t + 1 }
  :: target_order[t] == ENDED -> goto drop
  :: goto stops
  fi;
lower:
  SEND(source_order[t], LOWER, MINE, stops);
  if
  :: atomic {
       source_order[t] == DONE -> source_order[t] = NOTHING;
       TELL(SOURCE);
       if
       :: t == 1 && !tried -> tried = true; goto attempt
       :: else -> goto stops
       fi
     }
  :: source_order[t] == ENDED -> goto lower
  :: goto stops
  fi;

forward:
  SEND(target_order[t], OPEN, true, stops);
  if
  :: atomic { target_order[t] == DONE -> TELL(TARGET) }
  :: target_order[t] == ENDED -> goto forward
  :: goto stops
  fi;

stops:
  atomic {
    final = 0;
    if
    :: source_order[t] == DONE || source_order[t] == NOTHING -> source_order[t] = ENDED
    :: else
    fi;
    if
    :: target_order[t] == DONE || target_order[t] == NOTHING -> target_order[t] = ENDED
    :: else
    fi
  }
}

init {
  atomic {
    decision[0] = SOURCE;
    source_order[0] = NOTHING;
    target_order[0] = NOTHING;
    following = 1;
    left[0] = WRITES0; left[1] = (PROXIES - 1) * WRITES1; left[2] = DIRECT;
    run proxy(0);
    if
    :: PROXIES == 2 -> run proxy(1)
    :: else
    fi;
    run servers();
    run tool(0);
#ifndef ONE_TOOL
    run tool(1)
#endif
  };
  /* Nothing moves any more. */
  timeout ->
    assert(doing[0] == SERVES && doing[1] == SERVES && side[0] == side[PROXIES - 1]);
    assert((side[0] == SOURCE && !DECIDED && !fenced) || (side[0] == TARGET && DECIDED && opened && triggers));
    assert(left[0] == 0 && left[1] == 0 && left[2] == 0)
}
