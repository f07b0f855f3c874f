# The power fails while a new version is on trial.
cd /root/signing
. ./estate.sh
rm -rf tree && dpkg-deb -R good.deb tree && sed -i 's/^Version: .*/Version: 0.4.0-1/' tree/DEBIAN/control
dpkg-deb -Zgzip -z1 -b tree next.deb >/dev/null && minisign -S -s key -m next.deb -t linli-upgrade >/dev/null
# The next step takes it once more, after the cut.
sync
linli upgrade --within 10m next.deb >cut.log 2>&1 &
on_trial() { [ "$(readlink "/proc/$(main_pid)/exe")" = /var/lib/linli-upgrade/trial/linli ]; }
within 180 "the new version runs on trial" on_trial
cut_power
