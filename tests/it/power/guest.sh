#!/bin/busybox sh
# The box of the power tests, as its first process: modules, network, disk; then what the last cut
# left is printed, and the daemon runs until the next cut. Lines that the host reads begin with @@.
/bin/busybox mkdir -p /bin /proc /sys /dev /run /tmp /data
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for module in virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci virtio_blk \
    failover net_failover virtio_net; do
    insmod /modules/$module.ko || echo "@@broken no module $module"
done

clock=trusted now=0 options=errors=continue
for word in $(cat /proc/cmdline); do
    case $word in
    linli.clock=*) clock=${word#*=} ;;
    linli.now=*) now=${word#*=} ;;
    linli.mount=*) options=${word#*=} ;;
    esac
done

ip link set lo up
ip addr add 10.0.2.15/24 dev eth0
ip link set eth0 up
# The page listens on loopback, as on a site; and the host may give orders.
nc -ll -p 8081 -e nc 127.0.0.1 8080 2>/dev/null &
nc -ll -p 8082 -e /bin/sh 2>/dev/null &

mount -t ext4 -o "$options" /dev/vda /data || echo "@@broken the disk cannot be mounted"

# The control: of the lines that were said before the cut, what is there?
if [ -d /data/control ]; then
    plain=0 synced=0
    for file in /data/control/plain-*; do
        [ -e "$file" ] && plain=$(grep -c '^line of the control$' "$file")
    done
    for file in /data/control/synced-*; do
        [ -e "$file" ] && [ "$(cat "$file")" = "line of the control" ] && synced=$((synced + 1))
    done
    echo "@@control {\"plain\": $plain, \"synced\": $synced}"
    rm -rf /data/control
fi

# The daemon must meet the files as the cut left them: look at a copy.
if [ -e /data/buffer/db ]; then
    cp -r /data/buffer /tmp/left
    echo "@@buffer $(linli buffer show --json --path /tmp/left | tr -d '\n')"
    echo "@@stored [$(linli buffer export --path /tmp/left |
        sed 's/^{"v":1,"gateway":"[^"]*","epoch":"\([0-9a-f]*\)","seq":\([0-9]*\),.*/\2/' |
        tr '\n' ',' | sed 's/,$//')]"
    echo "@@chain $(linli stars verify --json --path /tmp/left | tr -d '\n')"
    rm -rf /tmp/left
fi

rm -f /data/synchronised
case $clock in
trusted) touch /data/synchronised ;;
late) (
    sleep 3
    date -u -s "@$now" >/dev/null
    touch /data/synchronised
    echo "@@clock set"
) & ;;
esac

mkdir -p /data/control
(
    number=0
    while [ -d /data/control ]; do
        number=$((number + 1))
        echo "line of the control" | dd of=/data/control/synced-$number conv=fsync status=none &&
            echo "line of the control" >>/data/control/plain-1 && echo "@@said $number"
        sleep 0.5
    done
) &
(
    while :; do
        if [ -d /data/buffer.rebuild ]; then
            echo "@@rebuild"
            while [ -d /data/buffer.rebuild ]; do usleep 20000; done
        fi
        usleep 20000
    done
) &

echo "@@daemon"
while :; do
    linli run --config /etc/linli.toml
    echo "@@ended $?"
    sleep 1
done
