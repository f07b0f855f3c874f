# The same by a signed bundle on a stick that is plugged in: nothing is asked, nothing typed.
apt-get purge -y linli >/dev/null 2>&1
check "the package is installed afresh" apt-get install -y --no-install-recommends /box/linli-new.deb
systemctl --quiet is-active meter || systemd-run --quiet --collect --unit meter -p Restart=always -- \
    /box/linli-tool simulate --profile eastron-sdm120 --serial /dev/ttyS3 --unit 1
printf 'listener 1884 127.0.0.1\nallow_anonymous true\n' >/run/platform.conf
systemctl --quiet is-active platform || systemd-run --quiet --collect --unit platform -- mosquitto -c /run/platform.conf
# As systemd-timesyncd does when it has heard a server: what has no trusted time is held back.
install -D /dev/null /run/systemd/timesync/synchronized
mkdir -p /root/signing /media/stick
[ -e /root/signing/key ] || minisign -G -W -p /root/signing/key.pub -s /root/signing/key >/dev/null
mount -t tmpfs stick /media/stick
hash=$(echo "ten letters at least" | linli hash-password)
# bundle GATEWAY SERIAL: onto the stick.
bundle() {
    cat >/root/answers.toml <<END
[gateway]
id = "box-0003"
name = "测试小区"
kind = "old_retrofit"
[lines]
serial = ["/dev/ttyS2"]
baud = [9600]
frame = ["8N1"]
units = ["1"]
protocol = ["modbus"]
[field]
broker = "none"
[platform]
address = "127.0.0.1:1884"
tls = false
[page]
user = "wang"
hash = "$hash"
END
    tar -C /root -cf /media/stick/linli-setup.tar answers.toml
    minisign -S -s /root/signing/key -m /media/stick/linli-setup.tar -t "linli-setup gateway=$1 serial=$2" >/dev/null
}
fresh=$(sha256sum /etc/linli/linli.toml)
quick() { linli setup --lang en --yes --wait 0s; }
bundle box-0003 7
refuse "a bundle that nobody trusted signed is refused" quick
install -D -m 644 /root/signing/key.pub /etc/linli/trust/maker.pub
bundle box-0009 7
refuse "one for another gateway is refused" quick
bundle box-0003 7
printf x >>/media/stick/linli-setup.tar
refuse "one that was changed is refused" quick
equal "and nothing was written" "$(sha256sum /etc/linli/linli.toml)" "$fresh"
bundle box-0003 7
begun=$SECONDS
check "setup finds the stick, and sees a block acknowledged" timeout 500 linli setup --lang en --yes --wait 5m
fact "linli setup took $((SECONDS - begun)) s (qemu without KVM)"
check "the service is up" active
check "as the gateway of the bundle" grep -q 'id = "box-0003"' /etc/linli/linli.toml
check "with the meter that the scan found" grep -q 'profile = "eastron-sdm120"' /etc/linli/linli.toml
equal "the first user is the daemon's to read" "$(stat -c '%U %a' /var/lib/linli/users.json)" "linli 600"
bundle box-0003 6
refuse "an older stick is not taken any more" quick
umount /media/stick
