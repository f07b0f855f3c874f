"""A second MQTT implementation (paho) that plays Tasmota energy plugs.

    mqtt_peer.py PORT BASE SECONDS

Publishes `tele/BASE/SENSOR` every 100 ms with QoS 1 and an energy total that climbs by one
watt-hour each time, for SECONDS; then prints the number of the last message that the broker
acknowledged.
"""

import json
import sys
import time

import paho.mqtt.client as mqtt

port, base, seconds = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"peer-{base}")
client.will_set(f"tele/{base}/LWT", "Offline", qos=1, retain=True)
client.connect("127.0.0.1", port)
client.loop_start()
client.publish(f"tele/{base}/LWT", "Online", qos=1, retain=True)

end = time.monotonic() + seconds
number = 0
while time.monotonic() < end:
    number += 1
    energy = {
        "Total": round(number / 1000, 3),
        "Power": 42,
        "ApparentPower": 50,
        "ReactivePower": 10,
        "Factor": 0.84,
        "Voltage": 230,
        "Current": 0.2,
        "Frequency": 50,
    }
    info = client.publish(f"tele/{base}/SENSOR", json.dumps({"ENERGY": energy}), qos=1)
    info.wait_for_publish(30)
    time.sleep(0.1)
client.loop_stop()
print(number, flush=True)
