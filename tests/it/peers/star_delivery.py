#!/usr/bin/env python3
"""Facts of four hundred made-up days, and what the star level's checks must measure on them.

An independent second opinion: sorted lists and fractions over all facts of the window, no
histograms, no running sums, no store, no restart. Times are milliseconds since a midnight in China.

    python3 star_delivery.py config/star-levels.toml > tests/data/star-delivery.json
"""

import json
import math
import random
import sys
import tomllib
from fractions import Fraction

S = 1000
HOUR, DAY = 3600 * S, 86400 * S
END = 400 * DAY + 10 * HOUR
# The gateway runs from-to; in between it is down.
RUNS = [[0, 100 * DAY + 3 * HOUR], [100 * DAY + 4 * HOUR, 371 * DAY], [371 * DAY + HOUR, END]]
# The clock is not trusted: over a midnight, and right after a start.
UNTRUSTED = [[371 * DAY + HOUR, 371 * DAY + 2 * HOUR], [385 * DAY + 20 * HOUR, 386 * DAY + 5 * HOUR]]
METERS = ["e1", "e2", "e3", "e4", "w1"]

# Where a percentile may be shown, seconds.
LIMITS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60, 90, 100, 120, 180, 300, 600, 900, 1800,
          3600, 7200, 14400, 43200, 86400]
NEVER = None

rng = random.Random(133)


def pick(options):
    return options[int(rng.random() * len(options))]


def between(low, high):
    return low + int(rng.random() * (high - low))


def some_time(first, last):
    """A time at which the gateway runs, away from its starts and ends."""
    while True:
        time = between(first, last)
        if any(begin + 600 * S < time < end - 600 * S for begin, end in RUNS):
            return time


def edgy(limits):
    """Mostly fast; sometimes exactly a limit or a millisecond beside it, rarely never."""
    chance = rng.random()
    if chance < 0.9:
        return between(1, 1000 * pick(limits))
    if chance < 0.998:
        return int(1000 * pick(limits)) + pick([-1, 0, 1])
    return NEVER


def deliveries():
    out = []
    for day in range(355, 400):
        for _ in range(6):
            time = some_time(day * DAY, (day + 1) * DAY)
            out.append(["telemetry", time, edgy([5, 20, 60, 60, 300]), between(1, 3000), "none"])
        for _ in range(2):
            time = some_time(day * DAY, (day + 1) * DAY)
            out.append(["event", time, edgy([1, 5, 10, 10]), between(1, 40), "none"])
            out.append(["connector", time, edgy([2, 10, 60]), between(1, 9), "none"])
    for day in [356, 372, 381, 382, 395]:
        for _ in range(12):
            time = some_time(day * DAY, (day + 1) * DAY)
            up = pick([60 * S, 3 * HOUR, DAY - 1, DAY, DAY, DAY])
            if rng.random() < 0.08:
                up = pick([DAY + 1, NEVER])
            lane = pick(["telemetry", "telemetry", "event"])
            count = between(100, 999) if lane == "telemetry" else between(1, 4)
            out.append([lane, time, NEVER if up is NEVER else up + HOUR, count, up])
    return out


def alarms(clocks):
    out = []
    for number in range(160):
        raised = some_time(340 * DAY, 399 * DAY)
        level = pick([1, 2, 3, 4, 4, 15])
        ack, close = clocks.get(level, (60 * S, 60 * S))
        life = {"id": f"alarm-{number}", "level": level, "raised": raised}
        life["ack"] = pick([1, ack // 2, ack // 3, ack - 1, ack, ack, ack])
        life["close"] = pick([close // 2, close // 3, close - 1, close, close])
        life["up"] = None
        if rng.random() < 0.06:
            life["ack"] = pick([ack + 1, ack + 900 * S, None])
        if rng.random() < 0.06:
            life["close"] = pick([close + 1, close + 2 * HOUR, None])
        if life["close"] is not None and (life["ack"] or 0) > life["close"]:
            life["ack"] = None
        late = overdue(life, clocks)
        if late is not None and rng.random() < 0.7:
            life["up"] = late + pick([1, 30 * S, HOUR, HOUR + 1])
            if life["close"] is not None and life["up"] > life["close"]:
                life["up"] = None
        out.append(life)
    return out


def missed(after, limit):
    return after is None or after > limit


def overdue(life, clocks):
    """Milliseconds after being raised at which the first clock ran out."""
    if life["level"] not in clocks:
        return None
    ack, close = clocks[life["level"]]
    heard = life["ack"] if life["ack"] is not None else life["close"]
    late = ([ack] if missed(heard, ack) else []) + ([close] if missed(life["close"], close) else [])
    return min(late, default=None)


def broadcasts():
    out = []
    for number in range(30):
        time = some_time(number * 13 * DAY + HOUR, number * 13 * DAY + 20 * HOUR)
        addressed = between(1, 60)
        out.append({
            "at": time,
            "drill": rng.random() < 0.8,
            "start": edgy([2, 5, 10, 30]),
            "addressed": addressed,
            "acknowledged": addressed if rng.random() < 0.7 else between(0, addressed),
            "returned": rng.random() < 0.97,
        })
    return out


PROOFS = [["unsigned", 20 * DAY], ["pre_emption", 60 * DAY], ["unsigned", 90 * DAY],
          ["expired", 200 * DAY], ["area", 330 * DAY + HOUR]]


def inside(time, days):
    """Whether a day counts: so many whole days, and the one that fills."""
    return time // DAY >= END // DAY - days


def percentile(samples, percent):
    """Upper limit of the bucket that holds it; `never` when it is above the last."""
    total = sum(count for _, count in samples)
    if total == 0:
        return None
    reached = 0
    for value, count in sorted((math.inf if v is NEVER else v, c) for v, c in samples):
        reached += count
        if reached * 100 >= total * percent:
            return next((limit for limit in LIMITS if value <= limit * 1000), "never")
    raise AssertionError("a percentile is reached")


def floor4(value):
    return math.floor(value * 10000 + Fraction(1, 10**9)) / 10000


def share(good):
    return floor4(Fraction(sum(good), len(good))) if good else None


class History:
    def __init__(self, pack):
        self.pack = pack
        self.days = pack["evaluation"]["window_days"]
        self.clocks = {s["ebm"]: (s["ack_s"] * S, s["close_s"] * S) for s in pack["severity"]}
        self.deliveries = deliveries()
        self.alarms = alarms(self.clocks)
        self.broadcasts = broadcasts()
        self.screens = [[some_time(day * DAY, (day + 1) * DAY), edgy([5, 30, 60])] for day in range(360, 400)]
        self.offsets = [
            [some_time(day * DAY, (day + 1) * DAY), pick([1, 40, 300, -900, -1000, 1000, 1001, -4999])]
            for day in range(360, 400)
        ]
        # The last one before the end decides; e4 was read before the window only.
        self.meters = [
            ["e1", 365 * DAY + HOUR, 900], ["e1", 398 * DAY + HOUR, -300], ["e2", 390 * DAY + HOUR, 301],
            ["e3", 370 * DAY, 300], ["e4", 370 * DAY - 1, 0], ["w1", 399 * DAY + HOUR, 12],
        ]

    def ages(self, lane):
        rows = [r for r in self.deliveries if r[0] == lane and inside(r[1], self.days)]
        return [(age, count) for _, _, age, count, up in rows if lane != "telemetry" or up == "none"]

    def backfill(self):
        rows = [r for r in self.deliveries if r[4] != "none" and inside(r[1], self.days)]
        total = sum(count for *_, count, _ in rows)
        return floor4(Fraction(sum(r[3] for r in rows if r[4] is not NEVER and r[4] <= DAY), total))

    def alarm(self, which):
        good = []
        for life in self.alarms:
            if life["level"] not in self.clocks:
                continue
            ack, close = self.clocks[life["level"]]
            heard = life["ack"] if life["ack"] is not None else life["close"]
            late = overdue(life, self.clocks)
            after, limit = {"A2": (heard, ack), "A3": (life["close"], close), "A4": (None, late)}[which]
            if limit is None:
                continue
            decided = life["raised"] + min(limit if after is None else after, limit)
            known = decided + (HOUR if which == "A4" else 0) < END
            if inside(decided, self.days) and known:
                fine = not missed(after, limit)
                if which == "A4":
                    fine = life["up"] is not None and life["up"] <= late + HOUR
                good.append(fine)
        return share(good)

    def year(self, days):
        return [b for b in self.broadcasts if inside(b["at"], days)]

    def clock_share(self):
        last = {name: (at, offset) for name, at, offset in sorted(self.meters, key=lambda m: m[1])}
        begin = (END // DAY - self.days) * DAY
        return share([abs(offset) <= 300 for at, offset in last.values() if at >= begin])

    def measured(self, check):
        year = self.year(check.get("window_days", self.days))
        window = lambda rows: [(value, 1) for time, value in rows if inside(time, self.days)]
        shown = {proof for proof, at in PROOFS if inside(at, check.get("window_days", self.days))}
        return {
            "Q5": lambda: percentile(self.ages("telemetry"), 95),
            "Q6": self.backfill,
            "A1": lambda: percentile(self.ages("event"), 95),
            "A2": lambda: self.alarm("A2"),
            "A3": lambda: self.alarm("A3"),
            "A4": lambda: self.alarm("A4"),
            "B1": lambda: sum(b["acknowledged"] > 0 for b in year),
            "B2": lambda: percentile([(b["start"], 1) for b in year], 95),
            "B3": lambda: floor4(Fraction(sum(b["acknowledged"] for b in year), sum(b["addressed"] for b in year))),
            "B4": lambda: shown == {"pre_emption", "unsigned", "expired", "area"},
            "B5": lambda: share([b["returned"] for b in year]),
            "S1": lambda: percentile(window(self.screens), 95),
            "T1": lambda: percentile([(abs(o), 1) for o, _ in [(o, t) for t, o in self.offsets if inside(t, self.days)]], 99),
            "T2": self.clock_share,
            "V1": lambda: percentile(self.ages("connector"), 95),
        }[check["id"]]()

    def expected(self):
        out = {}
        for check in self.pack["check"]:
            if check["id"] in ["Q5", "Q6", "A1", "A2", "A3", "A4", "B1", "B2", "B3", "B4", "B5", "S1", "T1", "T2", "V1"]:
                value = self.measured(check)
                stars = {}
                for star, needed in check["levels"].items():
                    good = value != "never" and (value <= needed if check["dir"] == "le" else value >= needed)
                    stars[star] = "met" if good else "not_met"
                out[check["id"]] = {"measured": value, "stars": stars}
        return out

    def tellings(self):
        """An alarm is told at each change, as it stands then."""
        out = []
        for life in self.alarms:
            steps = sorted({0, *(life[k] for k in ["ack", "close", "up"] if life[k] is not None)})
            for step in steps:
                time = life["raised"] + step
                if time > END:
                    continue
                begin = next((b for b, e in RUNS if time <= e), END)
                state = {k: life[k] if life[k] is not None and life[k] <= step else None for k in ["ack", "close", "up"]}
                out.append({"at": max(time, begin), "alarm": life["id"], "level": life["level"], "raised": life["raised"], **state})
        return out

    def facts(self):
        out = [{"at": at, "what": what, "age": age, "count": count, "up": up} for what, at, age, count, up in self.deliveries]
        out += self.tellings()
        out += [{"broadcast": True, **b} for b in self.broadcasts]
        out += [{"at": at, "proof": proof} for proof, at in PROOFS]
        out += [{"at": at, "screen": after} for at, after in self.screens]
        out += [{"at": at, "offset_ms": offset} for at, offset in self.offsets]
        out += [{"at": at, "meter": name, "offset_s": offset} for name, at, offset in self.meters]
        return sorted(out, key=lambda fact: fact["at"])


def main():
    with open(sys.argv[1], "rb") as file:
        history = History(tomllib.load(file))
    facts = ",\n".join(json.dumps(fact) for fact in history.facts())
    rest = {"end": END, "runs": RUNS, "untrusted": UNTRUSTED, "meters": METERS, "expected": history.expected()}
    print(json.dumps(rest, indent=1)[:-2] + ',\n "facts": [\n' + facts + "\n]}")


main()
