# A newer package while no broker is there: quick, without a question, nothing lost.
before=$(sha256sum /etc/linli/linli.toml)
users=$(sha256sum /var/lib/linli/users.json)
blocks=$(stored blocks)
pid=$(main_pid)
fact "waiting in the buffer before the upgrade: $blocks blocks"
begun=$SECONDS
check "apt upgrades without asking, no broker anywhere" timeout 120 apt-get install -y --no-install-recommends /box/linli-new.deb
fact "the upgrade took $((SECONDS - begun)) s (qemu without KVM)"
equal "the newer one is installed" "$(dpkg-query -W -f '${Version}' linli)" 0.1.1-1
equal "the configuration is as it was" "$(sha256sum /etc/linli/linli.toml)" "$before"
equal "the users are as they were" "$(sha256sum /var/lib/linli/users.json)" "$users"
refuse "dpkg left no second configuration" ls /etc/linli/linli.toml.dpkg-dist /etc/linli/linli.toml.dpkg-new
check "the service is up" active
refuse "as a new process" test "$(main_pid)" = "$pid"
kept() { [ "$(stored blocks)" -ge "$blocks" ]; }
within 30 "the backlog is there" kept
equal "and none of it is damaged" "$(stored damaged_blocks)" 0
