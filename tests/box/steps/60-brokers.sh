# Mosquitto as field broker, first as Debian ships it, then with the package's drop-in; a second
# one as the platform, which gets the backlog.
check "apt finds Mosquitto" apt-get install -y --no-install-recommends mosquitto mosquitto-clients
check "Mosquitto runs" systemctl --quiet is-active mosquitto
printf 'listener 1884 127.0.0.1\nallow_anonymous true\n' >/run/platform.conf
systemd-run --quiet --unit platform -- mosquitto -c /run/platform.conf
within 20 "the platform is there" mosquitto_pub -p 1884 -t here -n
systemd-run --quiet --unit listener -p StandardOutput=file:/run/delivered -- \
    mosquitto_sub -p 1884 -q 1 -t 'linli/v1/#' -F '%t'
blocks=$(stored blocks)
emptied() { [ "$(stored blocks)" -le 2 ]; }
within 120 "the backlog of $blocks blocks is delivered" emptied
delivered() { grep -q '^linli/v1/box-0001/telemetry' /run/delivered; }
within 20 "and arrived" delivered

climate() { page /api/v1/devices/climate -H "Authorization: Bearer $1" | grep -q "$2"; }
token=$(linli users token climate | tail -n 1)
message='{"Time":"2022-10-20T10:29:14","AM2301":{"Temperature":%s,"Humidity":75.8,"DewPoint":17.2},"TempUnit":"C"}'
send() { mosquitto_pub "${@:2}" -q 1 -t tele/corridor/SENSOR -m "$(printf "$message" "$1")"; }
measured() { send "$1" "${@:2}" && climate "$token" "$1"; }
within 60 "a sensor at Debian's own Mosquitto is read" measured 21.5

# As systemd/mosquitto/linli.conf tells.
install -m 640 -g mosquitto /usr/share/linli/mosquitto/linli.acl /etc/mosquitto/
mosquitto_passwd -b -c /etc/mosquitto/linli.passwd linli daemon-secret
mosquitto_passwd -b /etc/mosquitto/linli.passwd corridor corridor-secret
mosquitto_passwd -b /etc/mosquitto/linli.passwd locker locker-secret
chgrp mosquitto /etc/mosquitto/linli.passwd
chmod 640 /etc/mosquitto/linli.passwd
install -m 644 /usr/share/linli/mosquitto/linli.conf /etc/mosquitto/conf.d/
check "Mosquitto takes the drop-in" systemctl restart mosquitto
install -m 600 -o linli /dev/null /etc/linli/field-password
echo daemon-secret >/etc/linli/field-password
sed -i '/^\[mqtt\]/a username = "linli"\npassword_file = "/etc/linli/field-password"' /etc/linli/linli.toml
check "the daemon takes its password at a reload" systemctl reload linli
within 60 "a sensor with its own password is read" measured 22.5 -u corridor -P corridor-secret
refuse "nobody gets in without a password" send 23.5
refuse "nor with a wrong one" send 23.5 -u corridor -P locker-secret
# Mosquitto answers a forbidden publish as if it had been taken: only what arrives shows it.
send 33.5 -u locker -P locker-secret
send 24.5 -u corridor -P corridor-secret
within 60 "the sensor's own word counts" climate "$token" 24.5
refuse "another device cannot speak for the sensor" climate "$token" 33.5
timeout 5 mosquitto_sub -u locker -P locker-secret -t '#' -F '%t' >/run/heard &
listening=$!
sleep 2
send 25.5 -u corridor -P corridor-secret
wait "$listening"
equal "nor listen to others" "$(cat /run/heard)" ""
reboot_box
