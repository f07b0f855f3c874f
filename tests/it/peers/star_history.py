#!/usr/bin/env python3
"""Sixty days of a made-up estate, and what the star level's checks must measure on them.

An independent second opinion: plain sets and fractions over all readings, no running sums, no
store, no restart. Times are seconds since a midnight in China; everything falls on a grid of 30 s.

    python3 star_history.py config/star-levels.toml > tests/data/star-history.json
"""

import json
import math
import sys
import tomllib
from datetime import date, timedelta
from fractions import Fraction

DAY, HOUR, TICK = 86400, 3600, 30
END = 60 * DAY + 10 * HOUR

DEVICES = [
    # name, category, a reading every so many seconds, at this offset, silent from-to, since
    {"id": "e1", "category": "electricity_meter", "every": 900, "at": 0, "silent": []},
    {"id": "e2", "category": "electricity_meter", "every": 900, "at": 300, "silent": [[40 * DAY, 47 * DAY]]},
    {"id": "e3", "category": "electricity_meter", "every": 3600, "at": 600, "silent": []},
    {"id": "w1", "category": "water_meter", "every": DAY, "at": 3 * HOUR, "silent": []},
    {"id": "w2", "category": "water_meter", "every": HOUR, "at": 0, "silent": [[50 * DAY, END + DAY]]},
    {"id": "h1", "category": "heat_meter", "every": HOUR, "at": 90, "silent": [[31 * DAY + 7 * HOUR, 31 * DAY + 19 * HOUR], [51 * DAY + 4 * HOUR, END + DAY]]},
    {"id": "c1", "category": "ev_charger", "every": 60, "at": 0, "silent": []},
    {"id": "c2", "category": "ev_charger", "every": 60, "at": 30, "silent": [[d * DAY + 6 * HOUR, d * DAY + 9 * HOUR + 120] for d in range(60)]},
    {"id": "s1", "category": "info_screen", "every": 300, "at": 0, "silent": [[58 * DAY, 58 * DAY + 6 * HOUR]]},
    {"id": "b1", "category": "emergency_broadcast", "every": 60, "at": 0, "silent": []},
    # Every tenth reading is not good.
    {"id": "v1", "category": "environment_sensor", "every": 60, "at": 0, "silent": [], "bad": 10},
    {"id": "x1", "category": "other", "every": 60, "at": 0, "silent": [[0, END]]},
    # Connected at a restart on day 45.
    {"id": "p1", "category": "parcel_locker", "every": 300, "at": 30, "silent": [], "since": 45 * DAY + 10 * HOUR + 300},
]

# The gateway runs from-to: a restart in the night, a new device, a power cut of a day and a half.
RUNS = [
    [0, 20 * DAY + 23 * HOUR + 1800],
    [21 * DAY + 2 * HOUR + 900, 45 * DAY + 10 * HOUR],
    [45 * DAY + 10 * HOUR + 300, 52 * DAY + 20 * HOUR],
    [54 * DAY + 8 * HOUR, END],
]
# The platform cannot be reached.
NO_LINK = [[33 * DAY, 33 * DAY + 12 * HOUR], [55 * DAY + 6 * HOUR + 1800, 55 * DAY + 7 * HOUR + 900], [56 * DAY + 12 * HOUR, END]]
# The clock is wrong by so many seconds: set forward, and corrected six hours later.
WRONG = [[36 * DAY + 12 * HOUR, 36 * DAY + 18 * HOUR, 1800]]
# So many blocks are evicted at this time; a block is made every minute.
EVICTED = [[33 * DAY + 11 * HOUR, 40]]
BLOCK_EVERY = 60
# Heat meters are expected from the first of these days to the last; day 0 is 1 January 2026.
SEASON = [[11, 15], [2, 20]]


def in_season(day):
    here = date(2026, 1, 1) + timedelta(days=day)
    return [here.month, here.day] >= SEASON[0] or [here.month, here.day] <= SEASON[1]


def wanted(device, day):
    return device["category"] != "heat_meter" or in_season(day)


def inside(time, spans):
    """Spans are open at their beginning: what happens at its end still belongs to them."""
    return any(span[0] < time <= span[1] for span in spans)


def wall(time):
    return time + sum(step for begin, end, step in WRONG if begin < time <= end)


def ticks():
    for begin, end in RUNS:
        yield from range(begin + TICK, end + 1, TICK)


# The latest time that the clock had shown before: what is booked is booked.
SHOWN = {}
furthest = 0
for tick in ticks():
    SHOWN[tick] = furthest
    furthest = max(furthest, wall(tick))


def is_bad(device, time):
    every = device["every"]
    return "bad" in device and (time // every) % device["bad"] == device["bad"] - 1


def readings(device):
    since = device.get("since", 0)
    for time in ticks():
        if time > since and time % device["every"] == device["at"] and not inside(time, device["silent"]):
            yield time


def floor4(value):
    return math.floor(value * 10000 + Fraction(1, 10**9)) / 10000


class History:
    def __init__(self, pack):
        self.pack = pack
        self.categories = {c["id"]: c for c in pack["category"]}
        self.begin = (END // DAY - pack["evaluation"]["window_days"]) * DAY
        good = lambda device: [t for t in readings(device) if not is_bad(device, t)]
        self.good = {d["id"]: [wall(t) for t in good(d)] for d in DEVICES}
        # From when on a reading proves anything: a clock that was set back proves nothing twice.
        self.proofs = {d["id"]: sorted((max(wall(t), SHOWN[t]), wall(t)) for t in good(d)) for d in DEVICES}

    def since(self, device):
        return max(self.begin, device.get("since", 0))

    def online(self, device, star):
        if device["category"] == "heat_meter":
            return self.online_in_season(device, star)
        period = self.categories[device["category"]]["upload_s"][star - 1]
        rules = self.pack["online"]
        factor = rules["factor_short"] if period < 3600 else rules["factor_long"]
        limit = max(int(period * factor), rules["min_offline_after_s"])
        covered, until = 0, self.since(device)
        for shown, heard in self.proofs[device["id"]]:
            begin, end = max(shown, until), min(heard + limit, END)
            if end > begin:
                covered += end - begin
                until = end
        return Fraction(covered, END - self.since(device))

    def online_in_season(self, device, star):
        """The same by cells of a tick, for devices that are not always expected."""
        period = self.categories[device["category"]]["upload_s"][star - 1]
        rules = self.pack["online"]
        factor = rules["factor_short"] if period < 3600 else rules["factor_long"]
        limit = max(int(period * factor), rules["min_offline_after_s"])
        good = set()
        for shown, heard in self.proofs[device["id"]]:
            good.update(range(shown, min(heard + limit, END), TICK))
        cells = [c for c in range(self.since(device), END, TICK) if wanted(device, c // DAY)]
        return Fraction(len([c for c in cells if c in good]), len(cells)) if cells else None

    def complete(self, device, star):
        period = self.categories[device["category"]]["reading_s"][star - 1]
        first, last = -(-self.since(device) // period), END // period
        slots = [slot for slot in range(first, last) if wanted(device, slot * period // DAY)]
        if not slots:
            return None
        found = {heard // period for heard in self.good[device["id"]]}
        return Fraction(len([slot for slot in slots if slot in found]), len(slots))

    def by_category(self, value):
        means = {}
        for category in self.categories:
            values = [value(d) for d in DEVICES if d["category"] == category]
            values = [v for v in values if v is not None]
            if values:
                means[category] = sum(values) / len(values)
        return means

    def worst(self, star, needed):
        rates = self.by_category(lambda d: self.online(d, star))
        rules = next(s for s in self.pack["category_set"] if s["star"] == star)
        groups = [[c] for c in rules["all_of"]] + rules["any_of"]
        best = [max((rates[c] for c in group if c in rates), default=None) for group in groups]
        known = [rate for rate in best if rate is not None]
        if not known or (len(known) < len(best) and min(known) >= Fraction(str(needed))):
            return None
        return min(known)

    def valid(self):
        every, good = 0, 0
        for device in DEVICES:
            if device["category"] in self.categories:
                for time in readings(device):
                    if wall(time) >= self.begin:
                        every += 1
                        good += not is_bad(device, time)
        return Fraction(good, every)

    def daily_reads(self):
        shares = []
        meters = [d for d in DEVICES if self.categories.get(d["category"], {}).get("group") == "meter"]
        read = {d["id"]: {heard // DAY for heard in self.good[d["id"]]} for d in meters}
        for day in range(self.begin // DAY, END // DAY):
            there = [d for d in meters if d.get("since", 0) <= day * DAY and wanted(d, day)]
            shares.append(Fraction(sum(day in read[d["id"]] for d in there), len(there)))
        return sum(shares) / len(shares)

    def link(self):
        cells, furthest = set(), 0
        for time in ticks():
            now = wall(time)
            # What the clock showed before is not counted again.
            if now > furthest:
                furthest = now
                if now > self.begin and not inside(time, NO_LINK):
                    cells.add(now)
        return Fraction(len(cells) * TICK, END - self.begin)

    def delivery(self):
        recent = (END - 72 * HOUR) // DAY * DAY
        old = waiting = 0
        for time in ticks():
            if time % BLOCK_EVERY == 0 and self.begin <= wall(time) < recent:
                old += 1
                waiting += inside(time, NO_LINK[-1:])
        lost = sum(count for time, count in EVICTED if time >= self.begin)
        return Fraction(old - waiting - lost, old)

    def covered(self, star, threshold):
        rates = self.by_category(lambda d: self.online(d, star))
        return sum(rate >= Fraction(str(threshold)) for rate in rates.values())

    def expected(self):
        out = {}
        checks = {check["id"]: check for check in self.pack["check"]}
        mean = lambda means: sum(means.values()) / len(means)
        for check in ["Q1", "Q2", "Q3", "Q4", "M1", "P2", "P3", "C1"]:
            out[check] = {}
            for star, needed in checks[check]["levels"].items():
                level = int(star)
                value = {
                    "Q1": lambda: mean(self.by_category(lambda d: self.online(d, level))),
                    "Q2": lambda: self.worst(level, needed),
                    "Q3": lambda: mean(self.by_category(lambda d: self.complete(d, level))),
                    "Q4": self.valid,
                    "M1": self.daily_reads,
                    "P2": self.link,
                    "P3": self.delivery,
                    "C1": lambda: Fraction(self.covered(level, checks["Q1"]["levels"][star])),
                }[check]()
                out[check][star] = None if value is None else floor4(value)
        return out


def main():
    with open(sys.argv[1], "rb") as file:
        history = History(tomllib.load(file))
    json.dump(
        {
            "tick": TICK,
            "end": END,
            "devices": DEVICES,
            "runs": RUNS,
            "no_link": NO_LINK,
            "wrong": WRONG,
            "evicted": EVICTED,
            "block_every": BLOCK_EVERY,
            "season": "..".join(f"{month:02}-{day:02}" for month, day in SEASON),
            "expected": history.expected(),
        },
        sys.stdout,
        indent=1,
    )
    print()


main()
