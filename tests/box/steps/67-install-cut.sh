# After the cut in the trial the old version is back by itself; then the power fails while the next
# one is installed.
cd /root/signing
within 120 "the service is up" active
equal "as the version before" "$(dpkg-query -W -f '${Version}' linli) $(readlink "/proc/$(main_pid)/exe")" "0.2.0-1 /usr/bin/linli"
refuse "nothing is under way" test -e /var/lib/linli-upgrade/state.json
contains "and it is told" "$(linli upgrade --status 2>&1)" "cut short"
. ./estate.sh
linli upgrade --within 4m next.deb >cut.log 2>&1 &
installing() { grep -q '"installing"' /var/lib/linli-upgrade/state.json; }
within 300 "the trial was good, the new version is being installed" installing
cut_power
