"""A second Modbus implementation (pymodbus) that plays Eastron SDM120 meters.

    modbus_peer.py tcp PORT UNIT,UNIT...
    modbus_peer.py serial PATH BAUD UNIT,UNIT...

Prints "ready" once it serves. The energy counter of every unit climbs all the time, and two
registers show the time: milliseconds since 1970, the low 32 bits.
"""

import asyncio
import struct
import sys
import time

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

# Registers of the SDM120 and plausible values: volts, amperes, watts, power factor, hertz.
FIXED = {0x0000: 230.1, 0x0006: 4.35, 0x000C: 1000.9, 0x001E: 0.98, 0x0046: 50.0}
IMPORT_KWH = 0x0048
CLOCK_MS = 0x00F0
SIZE = 0x0200


def words(value):
    return list(struct.unpack(">HH", struct.pack(">f", value)))


START = time.monotonic()


async def climb(_code, start, _address, _count, registers, _values):
    """Before each answer: the energy is what has flowed since the start, 0.1 kWh a second; the time."""
    kwh = 100.0 + round((time.monotonic() - START) / 10, 2)
    at = IMPORT_KWH - start
    registers[at : at + 2] = words(kwh)
    low = int(time.time() * 1000) & 0xFFFFFFFF
    at = CLOCK_MS - start
    registers[at : at + 2] = [low >> 16, low & 0xFFFF]


def device(unit):
    registers = [0] * SIZE
    for address, value in FIXED.items():
        registers[address : address + 2] = words(value)
    data = SimData(0, values=registers, datatype=DataType.REGISTERS)
    return SimDevice(id=unit, simdata=[data], action=climb)


async def main():
    kind = sys.argv[1]
    units = [int(unit) for unit in sys.argv[-1].split(",")]
    context = [device(unit) for unit in units]
    if kind == "tcp":
        server = ModbusTcpServer(context, address=("127.0.0.1", int(sys.argv[2])))
    else:
        server = ModbusSerialServer(
            context,
            framer=FramerType.RTU,
            port=sys.argv[2],
            baudrate=int(sys.argv[3]),
            # pymodbus answers for units that are not here; on a real line nobody does.
            trace_packet=lambda sending, data: b"" if sending and data[0] not in units else data,
        )
    serving = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0.5)
    print("ready", flush=True)
    await serving


asyncio.run(main())
