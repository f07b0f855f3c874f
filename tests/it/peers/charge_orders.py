#!/usr/bin/env python3
"""Sixty days of charging at a station with two connectors, and the orders that must come of it.

An independent second opinion: each order follows from its session's begin and end and from when
anybody looked, without walking through states. Times are seconds since a midnight in China.

    python3 charge_orders.py > orders.json
"""

import json
import random

DAY, HOUR, TICK, GAP = 86400, 3600, 60, 120
END = 60 * DAY

# The gateway runs from-to: a restart within a minute, in the evening when cars charge; a power cut.
RUNS = [
    [0, 9 * DAY + 19 * HOUR],
    [9 * DAY + 19 * HOUR + 60, 31 * DAY + 20 * HOUR],
    [31 * DAY + 23 * HOUR, 47 * DAY + 2 * HOUR],
    [48 * DAY + 12 * HOUR, END],
]
# A connector shows "offline" from-to.
HIDDEN = {
    1: [[d * DAY + 13 * HOUR, d * DAY + 13 * HOUR + (d % 4) * HOUR + 60] for d in range(0, 60, 2)],
    2: [[d * DAY + 21 * HOUR, d * DAY + 21 * HOUR + 600] for d in range(0, 60, 3)],
}
REASONS = ["full", "user", "remote", "limit", "", ""]


def sessions(connector, chance):
    found, at = [], chance.randrange(60, 200) * 60
    while at < END - DAY:
        ticks = chance.choice([1, 2, 5, 30, 90, 200, 400])
        end = at + ticks * TICK
        after = chance.choice([1, 1, 2, 2, 255])
        reason = "" if after == 255 else chance.choice(REASONS)
        # Watt-hours a minute.
        found.append({"begin": at, "end": end, "rate": chance.randrange(20, 180), "after": after,
                      "reason": reason})
        at = end + chance.randrange(30, 900) * TICK
    return found


def looks(connector):
    """Every time at which the state of the connector can be read."""
    hidden = HIDDEN[connector]
    times = []
    for begin, end in RUNS:
        for at in range(begin + TICK, end + 1, TICK):
            if at % TICK == 0 and not any(a <= at < b for a, b in hidden):
                times.append(at)
    return times


def orders(connector, all_sessions):
    times = looks(connector)
    told = []
    where = {}
    for number, session in enumerate(all_sessions):
        inside = [t for t in times if session["begin"] <= t < session["end"]]
        where[number] = (inside[0], inside[-1]) if inside else None
    seen = [n for n in where if where[n]]
    for place, number in enumerate(seen):
        session, (first, last) = all_sessions[number], where[number]
        before = max((t for t in times if t < first), default=None)
        after = min((t for t in times if t > last), default=None)
        if after is None:
            continue
        timed = before is not None and first - before <= GAP
        energy = session["rate"] * (session["end"] - session["begin"]) // TICK
        order = {"connector": connector, "start": first if timed else None}
        following = seen[place + 1] if place + 1 < len(seen) else None
        if following is not None and where[following][0] == after:
            # It went on charging as it seems: only less energy tells that it is another one.
            other = all_sessions[following]
            assert after - last > GAP
            was = session["rate"] * (last - session["begin"]) // TICK
            now = other["rate"] * (after - other["begin"]) // TICK
            assert now < was, "these two cannot be told apart"
            order |= {"end": None, "wh": None, "reason": None, "told": after}
        else:
            reason = session["reason"] or ("fault" if session["after"] == 255 else None)
            short = after - last <= GAP
            # What another, unseen one left behind is not looked at here: there is none.
            unseen = [s for n, s in enumerate(all_sessions)
                      if not where[n] and session["end"] <= s["begin"] <= after]
            assert not unseen, "choose other times"
            order |= {"end": after if short else None, "wh": energy, "reason": reason, "told": after}
        told.append(order)
    return told


def main():
    chance = random.Random(20260101)
    played = {n: sessions(n, chance) for n in (1, 2)}
    expected = [order for n in (1, 2) for order in orders(n, played[n])]
    expected.sort(key=lambda order: (order["told"], order["connector"]))
    complete = sum(None not in (o["start"], o["end"], o["wh"], o["reason"]) for o in expected)
    print(json.dumps({"tick": TICK, "end": END, "runs": RUNS, "hidden": [HIDDEN[1], HIDDEN[2]],
                      "sessions": [played[1], played[2]], "expected": expected,
                      "complete": complete}))


main()
