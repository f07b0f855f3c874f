"""Second implementations as parsers: PyPI's dlt645 and pyMeterBus.

    second_opinion.py

Reads one JSON object a line, answers with one JSON object a line:

    {"do": "parse", "hex": ...}                     a DL/T 645 frame, taken apart
    {"do": "build", "address", "control", "data", "preamble": ...}   a DL/T 645 frame
    {"do": "points"}                                the numbers that its meter knows
    {"do": "meter", "di", "value", "hex": ...}      its meter, holding `value`, answers a request
    {"do": "master", "hex": ...}                    the value that its master reads in an answer
    {"do": "mbus", "hex": ...}                      an M-Bus frame, taken apart

Addresses are as printed, numbers and bytes hexadecimal, data without the 33H of the line.
"""

import datetime
import json
import sys

import meterbus
from dlt645 import Demand, DLT645Protocol, MeterClientService, MeterServerService, RtuClient, RtuServer
from dlt645.common.transform import parse_format

ADDRESS = "123456789012"
MOMENT = datetime.datetime(2024, 5, 17, 13, 45)
METER = MeterServerService.new_meter_server_service(RtuServer("unused"))
METER.set_address(bytes.fromhex(ADDRESS)[::-1])
MASTER = MeterClientService.new_meter_client_service(RtuClient("unused"))
MASTER.address = bytearray.fromhex(ADDRESS)[::-1]


def parse(asked):
    frame = DLT645Protocol.deserialize(bytes.fromhex(asked["hex"]))
    return {
        "preamble": len(frame.preamble),
        "address": bytes(frame.addr)[::-1].hex().upper(),
        "control": f"{frame.ctrl_code:02X}",
        "data": bytes(frame.data).hex().upper(),
        "checksum": f"{frame.check_sum:02X}",
    }


def build(asked):
    address = bytes.fromhex(asked["address"])[::-1]
    control, data = int(asked["control"], 16), bytes.fromhex(asked["data"])
    return {"hex": bytes(DLT645Protocol.build_frame(address, control, data, asked["preamble"])).hex()}


def points(_asked):
    found = []
    for di, item in METER.data_map.items():
        if isinstance(item, list) or di >> 24 > 2:
            continue
        decimals, digits = parse_format(item.data_format)
        found.append({"di": di, "digits": digits, "decimals": decimals, "unit": item.unit.strip()})
    return {"points": found}


def meter(asked):
    item = METER.get_data_item(asked["di"])
    value = asked["value"]
    item.value = Demand(value, MOMENT) if asked["di"] >> 24 == 1 else value
    request = DLT645Protocol.deserialize(bytes.fromhex(asked["hex"]))
    return {"hex": bytes(METER.handle_request(request)).hex()}


def master(asked):
    item = MASTER.handle_response(DLT645Protocol.deserialize(bytes.fromhex(asked["hex"])))
    if item is None:
        return {"error": "its master takes the answer for none"}
    return {"value": item.value}


def mbus(asked):
    telegram = meterbus.load(list(bytes.fromhex(asked["hex"])))
    kind = type(telegram).__name__
    if kind == "TelegramLong":
        return {"kind": kind, **json.loads(telegram.to_JSON())}
    if kind == "TelegramShort":
        head = telegram.header
        return {"kind": kind, "c": head.cField.parts[0], "a": head.aField.parts[0]}
    return {"kind": kind}


DOES = {
    "parse": parse,
    "build": build,
    "points": points,
    "meter": meter,
    "master": master,
    "mbus": mbus,
}

for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = DOES[asked["do"]](asked)
    except Exception as error:  # whatever a peer raises is what the test wants to see
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
