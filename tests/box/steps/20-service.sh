# The service with a configuration, without any broker: it is up, reads the serial line, answers.
systemd-run --quiet --unit meter -p Restart=always -- \
    /box/linli-tool simulate --profile eastron-sdm120 --serial /dev/ttyS3 --unit 1
install -m 644 /box/site.toml /etc/linli/linli.toml
check "the configuration is good" linli check
begun=$(date +%s%N)
check "the service starts" systemctl enable --now linli
fact "systemctl enable --now until READY: $((($(date +%s%N) - begun) / 1000000)) ms (qemu without KVM)"
check "it is active" active
contains "systemctl status shows it" "$(systemctl status linli)" "active (running)"
within 30 "the page answers" page /healthz --fail
contains "without users it says how to add one" "$(page /)" "linli users add"

check "a user is added by root" bash -c 'echo "ten letters at least" | linli users add wang --role maintainer'
equal "the users file stays the daemon's own" "$(stat -c '%U %a' /var/lib/linli/users.json)" "linli 600"
asks() { page / -o /dev/null -w '%{http_code} %{redirect_url}' | grep -q login; }
within 20 "then the page asks for a login" asks
token=$(linli users token script | tail -n 1)
api() { page "$1" -H "Authorization: Bearer $token"; }
metered() { api /api/v1/devices/meter | tr -d ' \n' | grep -q '"voltage'; }
within 60 "the meter on the serial line is read by the daemon's user" metered
contains "the platform is not reached, and that is said" "$(api /api/v1/uplink)" 1884
waits() { [ "$(stored blocks)" -gt 0 ]; }
within 60 "what was read waits in the buffer" waits

pid=$(main_pid)
equal "it runs as its user" "$(stat -c '%U %G' "/proc/$pid")" "linli linli"
groups=$(sed -n 's/^Groups:[[:space:]]*//p' "/proc/$pid/status")
contains "with the group of serial lines" " $groups " " $(getent group dialout | cut -d: -f3) "
equal "without privileges" "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$pid/status")" 0000000000000000
equal "under a filter of system calls" "$(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$pid/status")" 2
fact "memory of the service: $(($(systemctl show --value -p MemoryCurrent linli) / 1024)) KiB, RSS $(sed -n 's/^VmRSS:[[:space:]]*//p' "/proc/$pid/status")"

entry=$(journalctl -u linli -o json --output-fields=SYSLOG_IDENTIFIER,F_GATEWAY,F_VERSION,PRIORITY,TARGET,CODE_FILE,MESSAGE | grep '"MESSAGE":"starting"' | tail -n 1)
contains "the journal has the fields of an event" "$entry" '"F_GATEWAY":"box-0001"'
contains "and the program's name" "$entry" '"SYSLOG_IDENTIFIER":"linli"'
check "so that one field finds its events" bash -c 'journalctl -q -u linli F_GATEWAY=box-0001 | grep -q starting'
rating=$(systemd-analyze security linli 2>/dev/null | tail -n 1)
fact "systemd-analyze security: $rating"
check "the sandbox is as tight as promised" awk -v said="$rating" 'BEGIN { sub(/.*: /, "", said); exit !(said + 0 > 0 && said + 0 <= 2.0) }'
