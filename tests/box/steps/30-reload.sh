# Reload: a changed configuration counts, a wrong one is refused, the daemon goes on.
pid=$(main_pid)
sed -i 's/^name = "测试小区"/name = "新名小区"/' /etc/linli/linli.toml
check "systemctl reload takes a changed configuration" systemctl reload linli
renamed() { linli stars show --json 2>/dev/null | grep -q 新名小区 || journalctl -q -u linli | grep -q 'configuration'; }
within 20 "the journal tells the change" renamed
cp /etc/linli/linli.toml /root/good.toml
sed -i 's/^port = 1884/port = 99999/' /etc/linli/linli.toml
refuse "systemctl reload fails with a wrong one" systemctl reload linli
equal "the same process goes on" "$(main_pid)" "$pid"
check "and is active" active

# The package's new program over a configuration that it refuses: the old process keeps reading.
output=$(dpkg -i /box/linli-old.deb 2>&1 </dev/null)
equal "dpkg installs over a wrong configuration" "$?" 0
contains "and says that it is wrong" "$output" "99999"
equal "the process that reads the devices was not stopped" "$(main_pid)" "$pid"

# A start with it fails once and is not tried again for ever.
systemctl restart linli 2>/dev/null
sleep 12
equal "a start with a wrong configuration is not repeated" "$(systemctl is-failed linli) $(systemctl show --value -p NRestarts linli)" "failed 0"
contains "the journal names the fault" "$(journalctl -q -u linli -n 40)" "99999"
cp /root/good.toml /etc/linli/linli.toml
check "with the right one it starts" systemctl start linli

# Nor is one whose store only a later version can read: nothing of it is changed.
systemctl stop linli
formats=/var/lib/linli/buffer/formats.json
cp -p "$formats" /root/formats.json
sed -i 's/"parts": {/"parts": {\n    "tariffs": {"format": 2, "readable_by": 2},/' "$formats"
systemctl restart linli 2>/dev/null
sleep 12
equal "a start on the store of a later version is not repeated" "$(systemctl is-failed linli) $(systemctl show --value -p NRestarts linli) $(systemctl show --value -p ExecMainStatus linli)" "failed 0 65"
contains "the journal says which version is wanted" "$(journalctl -q -u linli -n 20)" "install the later version again"
contains "and the doctor what to do" "$(linli doctor --lang en --offline)" "another version wrote the store"
cp -p /root/formats.json "$formats"
check "with its own store it starts" systemctl start linli
