"""Where every target begins: what the project has already, and a few small ones written here.

    python3 seeds.py FOLDER        writes FOLDER/TARGET/NAME
"""

import json
import pathlib
import re
import struct
import sys
import tomllib
import zlib

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
OUT = pathlib.Path(sys.argv[1])
# Longer files make every run slow, and hold nothing that shorter ones do not.
LONGEST = 6000


def keep(target, name, data):
    folder = OUT / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


def frames():
    """The frames of the test vectors, single and as exchanges."""
    vectors = json.loads((HERE / "../data/vectors.json").read_text())
    takes = {
        "dlt645": ("dlt645", "cjt188"),
        "cjt188": ("cjt188", "dlt645"),
        "modbus": ("modbus",),
        "reply_finder": ("modbus",),
        "mbus": ("mbus",),
        "explain": ("dlt645", "cjt188", "modbus", "mbus"),
        "recording": ("dlt645", "cjt188", "modbus", "mbus"),
    }
    for target, protocols in takes.items():
        for number, vector in enumerate(vectors):
            if not vector["protocol"].startswith(protocols):
                continue
            pair = [bytes.fromhex(vector[key] or "") for key in ("request_hex", "response_hex")]
            if target == "recording":
                if number % 9 == 0:
                    recordings(f"{number:03}", pair, vector["protocol"] == "modbus-tcp")
                continue
            for name, data in zip("abc", [*pair, b"".join(pair)]):
                if target == "reply_finder" and len(data) > 2:
                    # Unit, function less one, unit that is late, transaction.
                    data = bytes([data[0], data[1] + 3 & 3, 7, data[1]]) + data
                if data:
                    keep(target, f"{number:03}{name}", data)


def recordings(name, pair, mbap):
    kind = "mbap" if mbap else "serial"
    lines = [f"# linli frames 1 {kind} line-1"]
    blocks = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1))]
    link = 101 if mbap else 250
    blocks.append(block(1, struct.pack("<HHI", link, 0, 0) + option(9, b"\x03") + option(0, b"")))
    for at, (sign, frame) in enumerate(zip("><", pair)):
        if not frame:
            continue
        text = " ".join(f"{byte:02X}" for byte in frame)
        lines.append(f"{at}.250 {sign} 9600-8N1 {text} ; told")
        data = struct.pack(">IIBBH", 0, 250_000 * at, 1 + at, 0, 0) + frame
        if mbap:
            ports = (49152, 502) if at == 0 else (502, 49152)
            tcp = struct.pack(">HHIIBBHHH", *ports, 1, 1, 0x50, 0x18, 8192, 0, 0)
            size = 40 + len(frame)
            ip = struct.pack(">BBHHHBBHII", 0x45, 0, size, 0, 0, 64, 6, 0, 0xC0000201, 0xC0000202)
            data = ip + tcp + frame
        head = struct.pack("<IIIII", 0, 0, 250 * at, len(data), len(data))
        blocks.append(block(6, head + data + b"\0" * (-len(data) % 4) + option(2, b"\1\0\0\0")))
    keep("recording", f"{name}t", "\n".join(lines).encode())
    keep("recording", f"{name}p", b"".join(blocks))


def block(kind, body):
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def files():
    profiles = sorted((ROOT / "config/profiles").glob("*.toml"))
    publish = []
    for number, path in enumerate(profiles):
        text = path.read_bytes()
        if len(text) <= LONGEST and number % 3 == 0:
            keep("profile", path.stem, text)
        read = tomllib.loads(text.decode())
        if "topics" in read or "mqtt" in read:
            publish.append(read)
    for path in sorted((ROOT / "tests/data/wrong-profiles").glob("*.toml")):
        keep("profile", f"wrong-{path.stem}", path.read_bytes())
    for number, read in enumerate(publish):
        for place, example in enumerate(read.get("examples", [])[:2]):
            for message in example.get("messages", [])[:2]:
                data = bytes([number % 256, place]) + message["payload"].encode()
                keep("payload", f"{number:03}{place}", data)
    whole = (ROOT / "config/linli.toml").read_text()
    keep("config", "whole", whole.encode())
    # Each section alone, behind the head that every file needs.
    head = '[gateway]\nid = "box-1"\n\n[[bus]]\nid = "line-1"\nserial = "/dev/ttyS0"\n'
    for number, part in enumerate(whole.split("\n[")[1:]):
        keep("config", f"part{number}", f"{head}\n[{part}".encode())
    rules = [
        (0, ROOT / "config/attestations.toml"),
        (1, ROOT / "config/star-levels.toml"),
        (2, ROOT / "config/risk.toml"),
        *((3, path) for path in sorted((ROOT / "config/scorecards").glob("*.toml"))),
    ]
    for kind, path in rules:
        keep("rules", f"{kind}-{path.stem}", bytes([kind]) + path.read_bytes())
    keep("rules", "4-answers", b'\4[answers]\n"1.1" = { points = 3, by = "A", on = "2026-05-01" }\n')


def announcements():
    device = '"dev":{"ids":"a1","name":"pump","mdl":"esp","mf":"m"},"avty_t":"pump/status"'
    sensor = "homeassistant/sensor/pump"
    heard = [
        [
            (f"{sensor}/p/config", '{"dev_cla":"pressure","unit_of_meas":"bar","name":"P",'
             f'"stat_t":"pump/p",{device}}}'),
            ("homeassistant/switch/pump/s/config", f'{{"name":"S","stat_t":"pump/s",{device}}}'),
            ("pump/p", "2.53"),
            ("pump/s", "ON"),
            ("pump/status", "online"),
        ],
        [
            (f"{sensor}/t/config", '{"~":"a","stat_t":"~/x","val_tpl":"{{ value_json.t }}",'
             '"unit_of_meas":"°C","dev_cla":"temperature","dev":{"ids":["x"],"name":"x"}}'),
            ("a/x", '{"t":21.5,"h":40}'),
        ],
        [
            ("homeassistant/device/a/config", '{"dev":{"ids":"d"},"o":{"name":"n"},"cmps":{"c":{'
             '"p":"binary_sensor","stat_t":"d/s","val_tpl":"{{ value_json[\'w\'] }}",'
             '"pl_on":"1","pl_off":"0","dev_cla":"moisture"}}}'),
            ("d/s", '{"w":"1"}'),
        ],
        [
            ("zigbee2mqtt/bridge/devices", '[{"ieee_address":"0x1","type":"EndDevice",'
             '"friendly_name":"sensor","definition":{"model":"M","vendor":"V","exposes":['
             '{"type":"numeric","name":"temperature","property":"temperature","unit":"°C",'
             '"access":1},{"type":"enum","property":"mode","values":["a","b"],"access":1}]}}]'),
            ("zigbee2mqtt/sensor", '{"temperature":21.5,"mode":"a"}'),
        ],
        [
            ("tasmota/discovery/A1B2C3/config", '{"ip":"10.0.0.2","dn":"Plug","t":"plug","md":"M",'
             '"ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1],"onln":"Online",'
             '"ofln":"Offline"}'),
            ("tele/plug/SENSOR", '{"ENERGY":{"Power":12,"Voltage":230,"Total":1.5}}'),
        ],
        [
            ("shellies/announce", '{"id":"shelly1","model":"SHSW-1","mac":"A"}'),
            ("shelly/status/switch:0", '{"id":0,"output":true,"apower":1.0}'),
        ],
    ]
    for number, messages in enumerate(heard):
        data = b"\0".join(f"{topic}\n{payload}".encode() for topic, payload in messages)
        keep("discovery", str(number), data)


def documents():
    head = '{"v":1,"gateway":"box-1","epoch":"00000000000000aa","seq":42,"time":'
    trusted = '{"trust":"trusted","base":1767225600000}'
    boot = '{"trust":"since_boot","base":61000,"boot":"5f0c"}'
    readings = (
        '"devices":[{"id":"m-1","at":[0,1000],"points":["totalActivePower","state"],"values":'
        '[[1520.5,null],[true,"on"]],"quality":[[1,0,"bad","no_answer"]],"source_times":[[0,5]]}]'
    )
    events = (
        '"events":[{"at":0,"kind":"gateway_started","version":"0.1.0"},{"at":5,"device":"m-1",'
        '"kind":"payload_rejected","topic":"t","fault":"f"}]'
    )
    for number, (time, rest) in enumerate(
        [(trusted, readings), (boot, readings), (trusted, events), (boot, f"{readings},{events}")]
    ):
        text = f"{head}{time},{rest}}}".encode()
        keep("stream", str(number), text)
        keep("block", str(number), b"b\1" + struct.pack(">Q", 42) + text)
    # A frame of zstd that is a run of one byte: 1 MiB and more out of a few.
    bomb = bytes.fromhex("28b52ffda400001000") + b"\x02\x00\x10{" * 3 + b"\x03\x00\x10{"
    keep("stream", "bomb", bomb)
    keep("block", "bomb", b"b\1" + struct.pack(">Q", 1) + bomb)


def number(value):
    """An integer, seven bits a byte."""
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def signed(value):
    return number(value << 1 if value >= 0 else (-value << 1) - 1)


def text(value):
    return number(len(value)) + value.encode()


def columns(points):
    """Per point its name, exponent, and buckets: slot, lowest, highest, last."""
    out = number(len(points))
    for name, exponent, rows in points:
        slots, lasts = [row[0] for row in rows], [row[3] for row in rows]
        out += number(name) + number(len(rows)) + signed(exponent)
        out += b"".join(number(b - a) for a, b in zip([0, *slots], slots))
        out += b"".join(signed(b - a) for a, b in zip([0, *lasts], lasts))
        out += b"".join(number(row[3] - row[1]) for row in rows)
        out += b"".join(number(row[2] - row[3]) for row in rows)
    return out


def chunk(kind, plain, form=1, least=1):
    """Some bytes in a frame of zstd that does not pack them."""
    packed = bytes.fromhex("28b52ffd20") + bytes([len(plain)])
    packed += struct.pack("<I", len(plain) << 3 | 1)[:3] + plain
    head = struct.pack("<BBBBII", form, least, kind, 0, len(packed), len(plain))
    return b"LNHC" + head + struct.pack("<I", zlib.crc32(head + packed)) + packed


def charts():
    """Files of the history: as they lie there, and what stands in their chunks."""
    first = (20605 * 86400 - 8 * 3600) // 300
    names = number(2) + text("m-1") + number(2) + text("power") + text("state")
    names += text("m-2") + number(1) + text("power")
    power = (0, 1, [(first, 10, 40, 25), (first + 1, 20, 30, 22), (first + 100, -7, -7, -7)])
    state = (1, 0, [(first, 0, 1, 1), (first + 287, 1, 1, 1)])
    huge = (0, -290, [(first, 0, 9 * 10**15, 5)])
    blocks = [columns([power, state]), columns([huge])]
    readings = b"".join(number(i) + number(len(b)) + b for i, b in enumerate(blocks))
    length = struct.pack("<H", len(names))
    keep("history", "sealed-log", b"\2" + length + names + readings)
    keep("history", "sealed-unnamed", b"\2" + length + names + number(7) + readings[1:])
    keep("history", "sealed-twice", b"\2" + length + names + readings * 2)
    point = text("m-1") + number(2) + text("power") + text("state")
    keep("history", "sealed-day", b"\3" + point + columns([power, state]))
    keep("history", "sealed-far", b"\3" + point + columns([(1, 9, [(2**32 - 1, -1, 1, 0)])]))
    log = chunk(1, names)
    for block, device in zip(blocks, range(2)):
        plain = struct.pack("<I", zlib.crc32(names)) + number(device) + number(len(block)) + block
        log += chunk(2, plain)
    keep("history", "log", b"\0" + log)
    keep("history", "torn", b"\0" + log[:-9])
    keep("history", "damaged", b"\0" + log[:70] + b"x" + log[71:])
    keep("history", "later", b"\0" + chunk(2, b"who knows", 9, 8) + log)
    day = chunk(3, point + columns([power, state]))
    fnv = 0xCBF29CE484222325
    for byte in b"m-1":
        fnv = (fnv ^ byte) * 0x100000001B3 % 2**64
    at = struct.pack("<I", len(day))
    end = b"LNHE" + at + struct.pack("<I", zlib.crc32(at))
    keep("history", "day", b"\1" + day + chunk(4, struct.pack("<QII", fnv, 0, len(day))) + end)
    keep("history", "astray", b"\1" + day + chunk(4, struct.pack("<QII", fnv, 5, 9**9)) + end)
    keep("history", "blind", b"\1" + day)


def requests():
    form = "Content-Type: application/x-www-form-urlencoded\nHost: x"
    evil = "%22%3E%3Czq%20onload%3D1%3E%3Czq"
    plain = ["/", "/devices", "/buses", "/buses/line-1", "/delivery", "/stars", "/metrics",
             "/healthz", "/readyz", "/nowhere", "/devices/heat_meter-0-3", "/openapi.json",
             "/buses/line-1/frames.txt?kept=0", "/buses/line-1/frames.pcapng?since=5",
             "/api/v1/gateway", "/api/v1/devices", "/api/v1/devices/heat_meter-0-3",
             "/api/v1/buses", "/api/v1/buffer", "/api/v1/uplink", "/api/v1/risk",
             "/api/v1/stars", "/api/v1/stars/verify", "/api/v1/stars/report?form=json",
             "/login", "/audit", "/api/v1/audit", "/nowhere/%2e%2e//%zz"]
    for number, path in enumerate(plain):
        keep("page", f"get{number:02}", f"GET {path} HTTP/1.1\nHost: x\n\n".encode())
    asked = [f"/devices?category={evil}&state={evil}&q={evil}", f"/?lang=en&x={evil}",
             f"/{evil}", f"/devices/{evil}", f"/buses/{evil}?since={evil}",
             f"/stars?lang={evil}", f"/login?next=//zq.example/{evil}", "/devices?state=offline&lang=zh"]
    for number, path in enumerate(asked):
        text = f"GET {path} HTTP/1.1\nCookie: linli_lang={evil}; a=<zq\nAccept-Language: en,<zq\n\n"
        keep("page", f"evil{number}", text.encode())
    posts = [
        ("/devices/heat_meter-0-3/exchange", f"by=A{evil}&old=5&new=0&confirm=yes&last=3&first=0"),
        ("/stars/attest", f"subject=inventory&by=A&on=2026-05-01&until=2026-09-01&note={evil}"),
        ("/stars/withdraw", f"subject=inventory&by={evil}&on=2026-05-01"),
        ("/api/v1/buses/line-1/scan", "from=1&to=5"),
        ("/login", f"name=a{evil}&password=b{evil}&next=//x"),
        ("/logout", ""),
    ]
    for number, (path, body) in enumerate(posts):
        for origin in ("", "\nSec-Fetch-Site: same-origin\nOrigin: http://x"):
            text = f"POST {path} HTTP/1.1\n{form}{origin}\n\n{body}"
            keep("page", f"post{number}{len(origin)}", text.encode())
    scan = 'POST /api/v1/buses/line-1/scan HTTP/1.1\nContent-Type: application/json\n\n{"units":"1-5"}'
    keep("page", "scan", scan.encode())


def words():
    """What a file may say, for the engine to put in: keys and words of all seeds of the target."""
    for target in ("config", "profile", "rules", "payload", "discovery", "stream", "page"):
        found = set()
        for path in (OUT / target).iterdir():
            text = path.read_bytes().decode(errors="ignore")
            found.update(re.findall(r"[A-Za-z][A-Za-z0-9_./-]{2,24}", text))
        lines = (f'"{word}"' for word in sorted(found)[:: max(1, len(found) // 600)])
        (OUT / f"{target}.words").write_text("\n".join(lines) + "\n")


frames()
files()
requests()
announcements()
documents()
charts()
words()
