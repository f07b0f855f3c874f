# A daemon that makes no progress is replaced, a killed one comes back.
mkdir -p /run/systemd/system/linli.service.d
printf '[Service]\nWatchdogSec=8\nRestartSec=1\n' >/run/systemd/system/linli.service.d/quick.conf
systemctl daemon-reload
check "it runs under a watchdog of 8 s" systemctl restart linli
sleep 20
equal "a daemon that works feeds it" "$(systemctl show --value -p NRestarts linli)" 0
pid=$(main_pid)
kill -STOP "$pid"
replaced() { active && [ "$(main_pid)" != "$pid" ] && [ "$(main_pid)" != 0 ]; }
within 60 "a daemon that hangs is replaced" replaced
check "the journal says why" bash -c 'journalctl -q -u linli | grep -qi "watchdog timeout"'
pid=$(main_pid)
kill -KILL "$pid"
within 60 "a daemon that was killed comes back" replaced
rm -r /run/systemd/system/linli.service.d
systemctl daemon-reload
systemctl restart linli
