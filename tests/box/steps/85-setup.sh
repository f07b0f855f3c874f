# From a fresh package to the first acknowledged block by `linli setup`, with the answers as flags.
apt-get purge -y linli >/dev/null 2>&1
check "the package is installed afresh" apt-get install -y --no-install-recommends /box/linli-new.deb
dpkg -s mosquitto >/dev/null 2>&1 || apt-get install -y --no-install-recommends mosquitto >/dev/null 2>&1
systemctl --quiet is-active meter || systemd-run --quiet --collect --unit meter -p Restart=always -- \
    /box/linli-tool simulate --profile eastron-sdm120 --serial /dev/ttyS3 --unit 1
printf 'listener 1884 127.0.0.1\nallow_anonymous true\n' >/run/platform.conf
systemctl --quiet is-active platform || systemd-run --quiet --collect --unit platform -- mosquitto -c /run/platform.conf
# As systemd-timesyncd does when it has heard a server: what has no trusted time is held back.
install -D /dev/null /run/systemd/timesync/synchronized
echo "ten letters at least" >/root/password
begun=$SECONDS
check "setup scans, writes, checks, starts, and sees a block acknowledged" timeout 500 linli setup --lang en --yes \
    --id box-0002 --kind old_retrofit --serial /dev/ttyS2 --baud 9600 --frame 8N1 --protocol modbus --units 1 \
    --broker none --platform 127.0.0.1:1884 --tls false --user wang --password-file /root/password --wait 5m
fact "linli setup took $((SECONDS - begun)) s (qemu without KVM)"
check "the service is up" active
equal "and comes back after each boot" "$(systemctl is-enabled linli)" enabled
check "the meter that the scan found is configured" grep -q 'profile = "eastron-sdm120"' /etc/linli/linli.toml
equal "the first user is the daemon's to read" "$(stat -c '%U %a' /var/lib/linli/users.json)" "linli 600"
