"""A second DL/T 645-2007 implementation (PyPI's dlt645) that plays electricity meters.

    dlt645_meter.py serial PATH BAUD FRAME ADDRESS[,ADDRESS...]
    dlt645_meter.py tcp PORT ADDRESS[,ADDRESS...]

A first argument `clock=SECONDS` makes the meters show UTC plus so many seconds as date and time.
FRAME is `8E1`, `8N1` or the like. Prints "ready" once it serves. All meters share the line. Meter
number n (from 0) shows 12345.67 + n kWh, 223.3 + n V in phase A, 1.234 A, 2.5678 kW and the power
factor 0.987; phases B and C are not connected. The library knows single identifiers only: blocks
(FFH in an identifier) are refused with "no such data".
"""

import sys
import threading
from datetime import datetime, timedelta, timezone

from dlt645 import MeterServerService, RtuServer, TcpServer

VALUES = {
    0x00000000: 12345.67,
    0x00010000: 12345.67,
    0x00020000: 0.05,
    0x02010100: 223.3,
    0x02020100: 1.234,
    0x02030000: 2.5678,
    0x02030100: 2.5678,
    0x02060000: 0.987,
}
# Values that tell the meters apart.
OWN = (0x00000000, 0x00010000, 0x02010100)


class Line:
    """The meters of one line. The library's meter answers requests to others with an error, which
    on a shared line would collide with the answer: who is not meant is silent here."""

    def __init__(self, server, addresses, clock):
        self.meters = {}
        self.clock = clock
        for number, address in enumerate(addresses):
            meter = MeterServerService(server)
            meter.set_address(bytes.fromhex(address)[::-1])
            for identifier, value in VALUES.items():
                item = meter.get_data_item(identifier)
                item.value = value + number if identifier in OWN else value
            self.meters[bytes(meter.address)] = meter

    def handle_request(self, frame):
        # What goes from meters to the master is no request.
        if frame.ctrl_code & 0x80:
            return None
        meant, answers = bytes(frame.addr), []
        for own, meter in self.meters.items():
            if all(part in (0xAA, digit) for part, digit in zip(meant, own)):
                # The library echoes a wild address; a meter tells its own.
                frame.addr = bytearray(own)
            elif meant != b"\x99" * 6:
                continue
            if self.clock is not None:
                shown = datetime.now(timezone.utc) + timedelta(seconds=self.clock)
                meter.set_04(0x04000101, shown.strftime("%y%m%d0%w"))
                meter.set_04(0x04000102, shown.strftime("%H%M%S"))
            answers.append(meter.handle_request(frame))
        # Two at once are a collision: nothing that can be read.
        return answers[0] if len(answers) == 1 else None


def main():
    clock = None
    if sys.argv[1].startswith("clock="):
        clock = int(sys.argv.pop(1).removeprefix("clock="))
    kind, addresses = sys.argv[1], sys.argv[-1].split(",")
    if kind == "tcp":
        server = TcpServer("127.0.0.1", int(sys.argv[2]), 5.0, None)
    else:
        frame = sys.argv[4]
        server = RtuServer(
            sys.argv[2],
            data_bits=int(frame[0]),
            parity=frame[1],
            stop_bits=int(frame[2]),
            baud_rate=int(sys.argv[3]),
        )
    server.service = Line(server, addresses, clock)
    if not server.start():
        sys.exit(f"{sys.argv[2]} cannot be opened")
    print("ready", flush=True)
    threading.Event().wait()


main()
