# `linli upgrade`: what is refused, a good trial, and two that fail. Needs minisign in the machine,
# and both brokers of the steps before.
mkdir -p /root/signing /etc/linli/trust
cd /root/signing
# The meter, the field broker and the platform, after each start of the machine.
cat >estate.sh <<'END'
systemctl start mosquitto
systemctl --quiet is-active meter || systemd-run --quiet --unit meter -p Restart=always -- \
    /box/linli-tool simulate --profile eastron-sdm120 --serial /dev/ttyS3 --unit 1
printf 'listener 1884 127.0.0.1\nallow_anonymous true\n' >/run/platform.conf
platform() { systemd-run --quiet --collect --unit platform -- mosquitto -c /run/platform.conf; }
platform
within 60 "the service is up" active
emptied() { [ "$(stored blocks)" -le 3 ]; }
within 120 "it delivers" emptied
# A trial begins only where a device is read.
[ -e /root/token ] || linli users token estate | tail -n 1 >/root/token
metered() { page /api/v1/devices/meter -H "Authorization: Bearer $(cat /root/token)" | tr -d ' \n' | grep -q '"quality":"good"'; }
within 120 "the meter is read" metered
END
. ./estate.sh
[ -e key ] || minisign -G -W -p key.pub -s key >/dev/null
sign() { minisign -S -s key -m "$1" -t "${2:-linli-upgrade}" >/dev/null; }
# package VERSION FILE [PROGRAM]: the installed package under another version, perhaps with another program.
package() {
    rm -rf tree && dpkg-deb -R /box/linli-new.deb tree
    sed -i "s/^Version: .*/Version: $1/" tree/DEBIAN/control
    [ -z "${3:-}" ] || install -m 755 "$3" tree/usr/bin/linli
    dpkg-deb -Zgzip -z1 -b tree "$2" >/dev/null && rm -rf tree
}
exe() { readlink "/proc/$(main_pid)/exe"; }
version() { dpkg-query -W -f '${Version}' linli; }
was=$(version)
package 0.2.0-1 good.deb && sign good.deb
refuse "without a trusted key nothing is taken" linli upgrade good.deb
install -m 644 key.pub /etc/linli/trust/maker.pub
cp good.deb changed.deb && cp good.deb.minisig changed.deb.minisig && printf x >>changed.deb
refuse "a changed package is refused" linli upgrade changed.deb
cp good.deb other.deb && sign other.deb linli-setup
refuse "one that was signed for something else is refused" linli upgrade other.deb
package 0.0.9-1 old.deb && sign old.deb
contains "an older one is refused by name" "$(linli upgrade old.deb 2>&1)" "--downgrade"
equal "and nothing was touched" "$(version) $(exe)" "$was /usr/bin/linli"

systemd-run --quiet --unit events -p StandardOutput=file:/run/events -- \
    mosquitto_sub -p 1884 -q 1 -t 'linli/v1/+/event' -N
begun=$SECONDS
check "a good version is tried and installed" timeout 400 linli upgrade --within 4m good.deb
fact "trial and installation took $((SECONDS - begun)) s"
equal "dpkg knows it" "$(version)" 0.2.0-1
check "the service is up" active
equal "and runs from its place" "$(exe)" /usr/bin/linli
refuse "no drop-in is left" ls /run/systemd/system/linli.service.d/trial.conf
entry() { linli audit | grep -q 'upgrade.*0.2.0-1'; }
within 30 "the trail of who did what names it" entry
told() { zstd -dcq /run/events | grep -q "\"upgrade_ended\",\"outcome\":\"$1\".*\"$2\""; }
within 60 "the platform is told" told installed 0.2.0-1

package 0.3.0-1 crash.deb /bin/true && sign crash.deb
said=$(timeout 400 linli upgrade --within 3m crash.deb 2>&1)
contains "one that ends at once is withdrawn, with its reason" "$said" "the old version runs on"
equal "the one before runs" "$(version) $(exe)" "0.2.0-1 /usr/bin/linli"

package 0.3.1-1 mute.deb && sign mute.deb
timeout 400 linli upgrade --within 90s mute.deb >mute.log 2>&1 &
watch=$!
within 180 "the next one is on trial" test -e /run/systemd/system/linli.service.d/trial.conf
systemctl stop platform
wait "$watch"
equal "one that delivers nothing is refused by its exit code" $? 1
contains "because the platform acknowledged nothing" "$(cat mute.log)" "acknowledged nothing"
equal "the one before runs" "$(version) $(exe)" "0.2.0-1 /usr/bin/linli"
platform
contains "the journal tells it" "$(journalctl -u linli-upgrade-watch --no-pager)" "the upgrade failed"
within 60 "and the platform, that is there again" told withdrawn 0.3.1-1

check "the way back" timeout 200 linli upgrade --back
check "the service is up again" active
equal "with the program before" "$(exe)" /usr/bin/linli
check "and forth again" timeout 400 linli upgrade --within 4m good.deb
