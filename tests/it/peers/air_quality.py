#!/usr/bin/env python3
"""A second opinion on hourly and daily values of the environment: indices, validity, noise.

Written from the standards' numbers, not from the program: its own transcription of the breakpoints,
exact fractions, plain dictionaries over all readings, no running sums, no store, no restart.

    python3 air_quality.py golden > tests/data/air-quality.json
    python3 air_quality.py history       # sixty made-up days and what must come out of them
"""

import json
import math
import sys
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

INDEX = (0, 50, 100, 150, 200, 300, 400, 500)
COMMON = {
    "so2_24h": (0, 50, 150, 475, 800, 1600, 2100, 2620),
    "so2_1h": (0, 150, 500, 650, 800),
    "no2_24h": (0, 40, 80, 180, 280, 565, 750, 940),
    "no2_1h": (0, 100, 200, 700, 1200, 2340, 3090, 3840),
    "co_24h": (0, 2, 4, 14, 24, 36, 48, 60),
    "co_1h": (0, 5, 10, 35, 60, 90, 120, 150),
    "o3_8h": (0, 100, 160, 215, 265, 800),
    "o3_1h": (0, 160, 200, 300, 400, 800, 1000, 1200),
}
OLD = COMMON | {
    "pm10_24h": (0, 50, 150, 250, 350, 420, 500, 600),
    "pm25_24h": (0, 35, 75, 115, 150, 250, 350, 500),
}
NEW = COMMON | {
    "pm10_24h": (0, 50, 120, 250, 350, 420, 500, 600),
    "pm25_24h": (0, 35, 60, 115, 150, 250, 350, 500),
}
SWITCH = date(2026, 3, 1)
POLLUTANTS = ("pm25", "pm10", "so2", "no2", "co", "o3")
HOUR_ROW = {"pm25": "pm25_24h", "pm10": "pm10_24h", "so2": "so2_1h", "no2": "no2_1h", "co": "co_1h", "o3": "o3_1h"}
DAY_ROW = {"pm25": "pm25_24h", "pm10": "pm10_24h", "so2": "so2_24h", "no2": "no2_24h", "co": "co_24h", "o3": "o3_8h"}


def rounded(value, digits):
    """GB/T 8170; from an exact number."""
    scale = 10**digits
    return Fraction(round(Fraction(value) * scale), scale)


def iaqi(row, value, day):
    new = day >= SWITCH
    table = (NEW if new else OLD)[row]
    value = max(rounded(value, 1 if row.startswith("co") else 0), 0)
    for place in range(1, len(table)):
        if value <= table[place]:
            low, high = table[place - 1], table[place]
            below, above = INDEX[place - 1], INDEX[place]
            return math.ceil(Fraction(above - below) / (high - low) * (value - low) + below)
    if row == "so2_1h":
        return 200 if new else None
    if row == "o3_8h":
        return 300 if new else None
    return 500


def overall(single, day):
    """AQI, primary pollutants, missing ones."""
    missing = [p for p in POLLUTANTS if single.get(p) is None]
    known = {p: i for p, i in single.items() if i is not None}
    if not known or missing and max(known.values()) <= 100:
        return None, [], missing
    aqi = max(known.values())
    primary = [p for p in POLLUTANTS if known.get(p) == aqi] if aqi > 50 else []
    return max(aqi, 1 if day >= SWITCH else 0), primary, missing


def golden():
    out = {"iaqi": {}, "aqi": []}
    for day in (SWITCH - timedelta(1), SWITCH):
        rows = out["iaqi"][day.isoformat()] = {}
        for row, table in (NEW if day >= SWITCH else OLD).items():
            tenth = Fraction(1, 10) if row.startswith("co") else Fraction(1)
            found = set()
            for point in table:
                for step in ("-1.5", "-1", "-0.51", "-0.5", "-0.49", "0", "0.49", "0.5", "0.51", "1", "1.5"):
                    found.add(point + Fraction(step) * tenth)
            whole = Fraction(table[-1])
            found |= {rounded(whole * Fraction(n, 97), 3) for n in range(1, 120)}
            found = sorted(value for value in found if value >= 0)
            rows[row] = [[float(value), iaqi(row, value, day)] for value in found]
    seed = 1
    for _ in range(400):
        single = {}
        for pollutant in POLLUTANTS:
            seed = (seed * 1103515245 + 12345) % 2**31
            pick = seed >> 8
            single[pollutant] = (None, 0, 49, 50, 51, 99, 100, 101, 150, 100, 50, 301)[pick % 12]
        aqi, primary, missing = overall(single, SWITCH)
        out["aqi"].append([[single[p] for p in POLLUTANTS], aqi, primary, missing])
    return out


# ---- sixty made-up days. Times are seconds since midnight of 2026-01-15 in China.
DAY, HOUR, TICK = 86400, 3600, 30
BEGIN = date(2026, 1, 15)
END = 60 * DAY + 10 * HOUR
SENSORS = {
    "pm25": {"unit": "ug/m3", "base": 10, "hash": 37, "modulo": 90, "step": 0.5, "swing": 4},
    "pm10": {"unit": "mg/m3", "base": 0.03125, "hash": 41, "modulo": 60, "step": 0.0009765625, "swing": 0.0078125},
    "so2": {"unit": "[ppb]", "base": 3, "hash": 29, "modulo": 70, "step": 0.25, "swing": 0.5},
    "no2": {"unit": "ug/m3", "base": 20, "hash": 31, "modulo": 50, "step": 0.5, "swing": 2},
    "co": {"unit": "[ppm]", "base": 0.5, "hash": 13, "modulo": 32, "step": 0.03125, "swing": 0.0625},
    "o3": {"unit": "ug/m3", "base": 30, "hash": 53, "modulo": 40, "step": 0.5, "swing": 10},
    "LAeq": {"unit": "dB", "base": 42, "hash": 17, "modulo": 48, "step": 0.25, "swing": 0.25},
    "temperature": {"unit": "K", "base": 273.25, "hash": 11, "modulo": 20, "step": 0.25, "swing": 0.5},
    "relativeHumidity": {"unit": "%", "base": 40, "hash": 7, "modulo": 40, "step": 0.25, "swing": 1},
    "windSpeed": {"unit": "m/s", "base": 1, "hash": 5, "modulo": 12, "step": 0.25, "swing": 0},
}
STATIONS = [
    {"id": "air", "every": 30, "at": 0, "points": ["pm25", "pm10", "so2", "no2", "co", "o3"], "seed": 7},
    {"id": "noise", "every": 60, "at": 30, "points": ["LAeq", "windSpeed", "pm10"], "seed": 3},
    {"id": "met", "every": 300, "at": 60, "points": ["temperature", "relativeHumidity"], "seed": 11},
    {"id": "slow", "every": 600, "at": 0, "points": ["pm25", "temperature"], "seed": 0},
]
ZONE, LIMITS = "1", (55, 45)
# A restart within an hour, a night without power, a restart of half a minute.
RUNS = [
    [0, 9 * DAY + 13 * HOUR + 1200],
    [9 * DAY + 13 * HOUR + 1680, 33 * DAY + 22 * HOUR + 1800],
    [34 * DAY + 7 * HOUR + 60, 50 * DAY + 5 * HOUR + 90],
    [50 * DAY + 5 * HOUR + 120, END],
]
# The clock is half an hour ahead from-to.
WRONG = [[20 * DAY + 12 * HOUR, 20 * DAY + 18 * HOUR, 1800]]


def gaps(station):
    """Minutes of silence at the beginning of each hour, about the limit of fifteen."""
    out = []
    for hour in range(END // HOUR + 1):
        gap = (hour * 7919 + station["seed"] * 31) % 20
        # On some days some hours are silent altogether.
        if (hour // 24 * 13 + station["seed"]) % 5 < 2 and (hour * 5) % 24 < (hour // 24) % 7:
            gap = 60
        out.append(gap)
    return out


def value(sensor, time, every):
    swing = abs(12 - time // HOUR % 24)
    # Now and then a bad hour, so that high indices come too.
    factor = 6 if time // HOUR % 29 == 3 and sensor["unit"] not in ("dB", "K", "%") else 1
    return factor * (sensor["base"] + time // every * sensor["hash"] % sensor["modulo"] * sensor["step"] + swing * sensor["swing"])


MOLAR = {"so2": Fraction("64.064"), "no2": Fraction("46.006"), "co": Fraction("28.010"), "o3": Fraction("47.997")}
VOLUME = Fraction("8.314462618") * Fraction("298.15") / Fraction("101.325")


def converted(point, raw):
    unit = SENSORS[point]["unit"]
    raw = Fraction(raw)
    return {
        "[ppb]": lambda: raw * MOLAR.get(point, 0) / VOLUME,
        # ppm of a gas is mg/m3 by the same factor.
        "[ppm]": lambda: raw * MOLAR.get(point, 0) / VOLUME,
        "mg/m3": lambda: raw * 1000,
        "K": lambda: raw - Fraction("273.15"),
    }.get(unit, lambda: raw)()


def wall(time):
    return time + sum(step for begin, end, step in WRONG if begin < time <= end)


def minutes_of(station):
    """Per point: minute -> value. Each minute is what was read until the clock left it; one without
    a reading has the latest reading when that is recent enough as the clock leaves the minute."""
    silent = gaps(station)
    hold = min(max(-(-station["every"] // 60), 1), 5)
    read = {point: {} for point in station["points"]}
    held = {point: {} for point in station["points"]}
    latest = {}
    furthest = before = -1
    for begin, end in RUNS:
        for time in range(begin + TICK, end + 1, TICK):
            minute = wall(time) // 60
            furthest = max(furthest, minute)
            if minute != before:
                for point, (when, number) in latest.items():
                    for later in range(when + 1, min(when + hold, minute)):
                        if later not in read[point]:
                            held[point].setdefault(later, number)
                before = minute
            if time % station["every"] != station["at"] or time % HOUR // 60 < silent[time // HOUR]:
                continue
            for point in station["points"]:
                number = converted(point, value(SENSORS[point], time, station["every"]))
                here = read[point]
                if minute not in held[point]:
                    if minute >= furthest:
                        here.setdefault(minute, []).append(number)
                    elif minute not in here:
                        here[minute] = [number]
                latest[point] = (minute, number)
    return {
        point: held[point] | {minute: average(point, numbers) for minute, numbers in here.items()}
        for point, here in read.items()
    }


def average(point, numbers):
    if point != "LAeq":
        return sum(numbers, Fraction(0)) / len(numbers)
    if len(set(numbers)) == 1:
        return numbers[0]
    return 10 * math.log10(math.fsum(10 ** (float(n) / 10) for n in numbers) / len(numbers))


def digits(point):
    return 1 if point in ("co", "LAeq", "temperature", "relativeHumidity", "windSpeed") else 0


def shown(point, number):
    return None if number is None else float(rounded(Fraction(number), digits(point)))


def word(point):
    return point.lower() if point == "LAeq" else point


ORDER = ["pm25", "pm10", "so2", "no2", "co", "o3", "LAeq", "temperature", "relativeHumidity", "windSpeed"]


def values(points, found, row, day):
    """[point, value, sampled, index] of each, AQI, primary, missing."""
    listed, single = [], {}
    for point in sorted(points, key=ORDER.index):
        number, sampled, index = found(point)
        listed.append([word(point), shown(point, number), sampled, index])
        if point in POLLUTANTS:
            single[point] = index
    aqi, primary, missing = overall(single, day) if single else (None, [], [])
    return [listed, aqi, primary, missing]


def history():
    ended = END // HOUR
    all_minutes = {s["id"]: minutes_of(s) for s in STATIONS}
    means, counts = {}, {}
    for station, points in all_minutes.items():
        for point, minutes in points.items():
            hours = {}
            for minute, number in minutes.items():
                hours.setdefault(minute // 60, []).append(number)
            for hour, numbers in hours.items():
                counts[station, point, hour] = len(numbers)
                if len(numbers) >= 45:
                    means[station, point, hour] = average(point, numbers)
    out = {"hours": {}, "days": {}}
    for station in STATIONS:
        name, points = station["id"], station["points"]
        hours = out["hours"][name] = {}
        for hour in range(ended):
            if not any((name, p, hour) in counts for p in points):
                continue
            day = BEGIN + timedelta(hour // 24)

            def found(point):
                number = means.get((name, point, hour))
                index = iaqi(HOUR_ROW[point], number, day) if number is not None and point in HOUR_ROW else None
                return number, counts.get((name, point, hour), 0), index

            hours[hour] = values(points, found, HOUR_ROW, day)
        days = out["days"][name] = {}
        for number in range(END // DAY):
            first = number * 24
            day = BEGIN + timedelta(number)
            if not any((name, p, h) in counts for p in points for h in range(first, first + 24)):
                continue

            def daily(point):
                valid = [means.get((name, point, h)) for h in range(first, first + 24)]
                count = sum(v is not None for v in valid)
                if point == "o3":
                    windows = [[v for v in valid[b : b + 8] if v is not None] for b in range(17)]
                    best = [sum(w) / len(w) for w in windows if len(w) >= 6]
                    mean = max(best, default=None)
                else:
                    mean = sum(v for v in valid if v is not None) / count if count >= 20 else None
                index = iaqi(DAY_ROW[point], mean, day) if mean is not None and point in DAY_ROW else None
                if point == "o3" and mean is not None and index is None:
                    index = iaqi("o3_1h", max(v for v in valid if v is not None), day)
                return mean, count, index

            found = values([p for p in points if p != "LAeq"], daily, DAY_ROW, day)
            found.append(noise(name, means, first) if "LAeq" in points else None)
            days[day.isoformat()] = found
    out["share"] = shares(means)
    return out


def noise(name, means, first):
    out = []
    for hours, least, limit in ((range(first + 6, first + 22), 14, LIMITS[0]), (range(first - 2, first + 6), 7, LIMITS[1])):
        levels = [means[name, "LAeq", h] for h in hours if (name, "LAeq", h) in means]
        mean = None
        if len(levels) >= least:
            mean = float(rounded(Fraction(average("LAeq", levels)), 1))
        over = None if mean is None else float(max(Decimal(0), Decimal(str(mean)) - limit))
        out += [mean, len(levels), over]
    return out


def shares(means):
    """Check E2 per star: hours in which all that E1 asks for is valid somewhere, in the window."""
    begin, end = (END // DAY - 30) * 24, END // HOUR
    good = {"3": 0, "4": 0, "5": 0}
    for hour in range(begin, end):
        has = {p for p in ORDER if any((s["id"], p, hour) in means for s in STATIONS)}
        three = {"pm25", "LAeq", "temperature", "relativeHumidity"} <= has
        four = three and "pm10" in has
        five = four and len(has & {"o3", "no2", "so2", "co", "windSpeed"}) >= 2
        for star, met in (("3", three), ("4", four), ("5", five)):
            good[star] += met
    return {star: math.floor(Fraction(n, end - begin) * 10000) / 10000 for star, n in good.items()}


def main():
    if sys.argv[1] == "golden":
        json.dump(golden(), sys.stdout, separators=(",", ":"))
    else:
        stations = [s | {"gaps": gaps(s)} for s in STATIONS]
        told = {"tick": TICK, "begin": BEGIN.isoformat(), "end": END, "runs": RUNS, "wrong": WRONG, "sensors": SENSORS, "stations": stations}
        json.dump(told | {"expected": history()}, sys.stdout)
    print()


main()
