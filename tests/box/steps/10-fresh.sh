# A fresh box without a broker: the package is there, nothing runs, nothing failed.
output=$(apt-get install -y --no-install-recommends /box/linli-old.deb 2>&1)
equal "apt installs the package without a network and without Mosquitto" "$?" 0
contains "it says what comes next" "$output" "sudo linli setup"
refuse "Mosquitto was not needed" dpkg -s mosquitto
equal "the service is not enabled before there is a configuration" "$(systemctl is-enabled linli)" disabled
equal "and does not count as failed" "$(systemctl is-failed linli)" inactive
linli check >/dev/null 2>&1
equal "the shipped configuration is refused as not finished" "$?" 64
contains "dpkg knows the configuration as its conffile" "$(dpkg-query -W -f '${Conffiles}' linli)" /etc/linli/linli.toml
equal "the user is in its group and dialout" "$(id -nG linli)" "linli dialout"
contains "it cannot log in" "$(getent passwd linli)" /usr/sbin/nologin
equal "its folder is its own" "$(stat -c '%U %G %a' /var/lib/linli)" "linli linli 750"
equal "its configuration is not" "$(stat -c '%U %G %a' /etc/linli/linli.toml)" "root root 644"
check "dpkg finds every file as it was packed" dpkg --verify linli
check "bash takes the completions" bash -c '. /usr/share/bash-completion/completions/linli && complete -p linli'
fact "installed $(dpkg-query -W -f '${Installed-Size}' linli) KiB; program $(stat -c %s /usr/bin/linli) bytes"
