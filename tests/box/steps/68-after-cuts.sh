# After the cut in the installation the new version is installed to its end.
within 180 "the service is up" active
equal "as the new version, as dpkg knows it" "$(dpkg-query -W -f '${Status} ${Version}' linli)" "install ok installed 0.4.0-1"
equal "from its place" "$(readlink "/proc/$(main_pid)/exe")" /usr/bin/linli
refuse "nothing is under way" test -e /var/lib/linli-upgrade/state.json
contains "and it is told" "$(linli upgrade --status)" "the new version is installed"
equal "no block is damaged" "$(stored damaged_blocks)" 0
said=$(linli doctor --lang en; echo "exit $?")
contains "the doctor knows the service" "$said" "good: service: it runs"
contains "and the serial line" "$said" "user linli may open it"
check "support gets a bundle" linli support-bundle /root/support.tar.zst
