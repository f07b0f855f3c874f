"""How large a program is, how soon it shows its first reading, and what it holds when little happens.
`size` beside this file runs it:

    size.py NAME PROGRAM [STARTER...]

One meter over Modbus TCP once a second, one broker, the page. Prints one row of the table of
README.md. With a STARTER (an emulator) the time is the emulator's, and of its memory only the pages
of the program are counted.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

name, program, *starter = sys.argv[1:]
# The targets: bytes of each program; seconds and bytes of the one that no emulator slows.
MOST_BYTES, MOST_S, MOST_RESIDENT = 12e6, 1.0, 12e6
RUNS = 5
IDLE_S = 20

CONFIGURATION = """
[gateway]
id = "size"
[clock]
trust = "system"
[buffer]
path = "{folder}/buffer"
keep_free = "1MiB"
[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "size"
[status]
listen = "127.0.0.1:{page}"
access = "open"
[[bus]]
id = "row"
tcp = "127.0.0.1:{modbus}"
[[device]]
id = "meter"
profile = "eastron-sdm120"
bus = "row"
unit = 1
period = "1s"
"""

# As systemd/linli.service sets them.
ALLOCATOR = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "65536",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return json.load(answer)
    except OSError:
        return None


def until(what, condition, pause=0.002, limit=120):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(pause)
    sys.exit(f"size.py: waited {limit} s until {what}")


def first_reading(port):
    device = ask(port, "/api/v1/devices/meter")
    points = device and device["points"]
    return bool(points) and any(point.get("value") is not None for point in points)


def resident_kib(process):
    """Pages in memory; under an emulator those of the mappings around the program's own file."""
    if not starter:
        status = open(f"/proc/{process.pid}/status").read()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])
    areas = []
    for line in open(f"/proc/{process.pid}/smaps"):
        head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
        if head:
            areas.append([int(head[1], 16), int(head[2], 16), head[4], 0])
        elif line.startswith("Rss:"):
            areas[-1][3] = int(line.split()[1])
    if os.environ.get("LINLI_SIZE_AREAS"):
        for begin, end, path, kib in areas:
            print(f"{begin:x}-{end:x} {kib:>8} {path}", file=sys.stderr)
    own = next(begin for begin, _, path, _ in areas if path == program)
    # An emulated address space of 32 bits is one block; that of 64 bits lies around the program,
    # far below what the emulator keeps for itself.
    near = 1 << 32 if "arm-static" in starter[0] else 1 << 36
    emulator = os.path.realpath(f"/usr/bin/{starter[0]}")
    return sum(
        kib
        for begin, _, path, kib in areas
        if own - near // 16 <= begin < own + near and path != emulator
    )


def run(folder, ports):
    """Milliseconds from the start to the first reading, KiB after a while."""
    config = f"{folder}/linli.toml"
    with open(config, "w") as file:
        file.write(CONFIGURATION.format(folder=folder, **ports))
    with open(f"{folder}/log", "w") as log:
        begin = time.monotonic()
        process = subprocess.Popen(
            [*starter, program, "run", "--config", config],
            stderr=log,
            env={**os.environ, **ALLOCATOR},
        )
        try:
            until("the page shows a reading", lambda: first_reading(ports["page"]))
            took = (time.monotonic() - begin) * 1000
            yield took
            time.sleep(IDLE_S)
            yield resident_kib(process)
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait() != 0:
                sys.exit(f"size.py: {name} ended badly:\n" + open(f"{folder}/log").read())


def main():
    peer = os.path.join(os.path.dirname(os.path.abspath(__file__)), "it/peers/modbus_peer.py")
    modbus, platform = free_port(), free_port()
    meter = subprocess.Popen(
        [sys.executable, peer, "tcp", str(modbus), "1"], stdout=subprocess.PIPE, text=True
    )
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/mosquitto.conf", "w") as file:
            file.write(f"listener {platform} 127.0.0.1\nallow_anonymous true\nlog_dest none\n")
        broker = subprocess.Popen(["mosquitto", "-c", f"{folder}/mosquitto.conf"])
        try:
            assert meter.stdout.readline().strip() == "ready"
            times, memory = [], 0
            for number in range(RUNS):
                place = f"{folder}/{number}"
                os.mkdir(place)
                ports = {"modbus": modbus, "platform": platform, "page": free_port()}
                steps = run(place, ports)
                times.append(next(steps))
                if number == RUNS - 1:
                    memory = next(steps)
                steps.close()
        finally:
            meter.kill()
            broker.kill()
    middle = sorted(times)[RUNS // 2]
    size = os.path.getsize(program)
    how = " (emulated)" if starter else ""
    held = memory * 1024
    print(f"| {name} | {size / 1e6:.2f} MB | {middle / 1000:.2f} s{how} | {held / 1e6:.1f} MB{how} |")
    over = [f"{size / 1e6:.2f} MB of program"] if size > MOST_BYTES else []
    if not starter and middle / 1000 > MOST_S:
        over.append(f"{middle / 1000:.2f} s to the first reading")
    if not starter and held > MOST_RESIDENT:
        over.append(f"{held / 1e6:.1f} MB of memory")
    if over:
        sys.exit(f"size.py: {name} is over its target: " + ", ".join(over))


main()
