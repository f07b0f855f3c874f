# After the power cut; then the package goes, and comes again.
within 60 "after a power cut the service is there by itself" active
kept() { [ "$(stored blocks)" -ge "$(cat /root/blocks)" ]; }
within 30 "with what was in the buffer" kept
equal "and none of it is damaged" "$(stored damaged_blocks)" 0

stored blocks >/root/blocks
output=$(apt-get remove -y linli 2>&1)
equal "apt removes the package" "$?" 0
contains "it says that the data stay" "$output" /var/lib/linli
refuse "nothing of it runs" pgrep -x linli
check "the readings stay" test -d /var/lib/linli/buffer
check "the configuration stays" grep -q box-0001 /etc/linli/linli.toml
refuse "the program is gone" test -e /usr/bin/linli

check "it is installed again" dpkg -i /box/linli-new.deb
within 60 "and runs again at once" active
within 30 "with the old backlog" kept

output=$(apt-get purge -y linli 2>&1)
equal "apt purges the package" "$?" 0
contains "it says what goes" "$output" "removing /var/lib/linli"
refuse "readings are gone" test -e /var/lib/linli
refuse "the configuration is gone" test -e /etc/linli
refuse "no trace of the unit is left" bash -c 'ls /etc/systemd/system/*/linli.service /etc/systemd/system/linli.service /var/lib/systemd/deb-systemd-helper-*/linli* 2>/dev/null | grep .'
check "the user stays" id linli

apt-get purge -y mosquitto mosquitto-clients >/dev/null 2>&1
check "on a plain box apt brings Mosquitto along" apt-get install -y /box/linli-new.deb
check "Mosquitto was recommended" dpkg -s mosquitto
refuse "its configuration is not touched" ls /etc/mosquitto/conf.d/linli.conf

# An image that brings its configuration along.
apt-get purge -y linli >/dev/null 2>&1
mkdir -p /etc/linli
cp /box/site.toml /etc/linli/linli.toml
check "dpkg leaves a configuration that was there first" bash -c 'apt-get install -y -o Dpkg::Options::=--force-confold /box/linli-new.deb </dev/null'
check "it is the image's" cmp /box/site.toml /etc/linli/linli.toml
within 60 "and the service runs at once" active
equal "and after each boot" "$(systemctl is-enabled linli)" enabled
