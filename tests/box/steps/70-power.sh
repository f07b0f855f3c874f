# After an orderly start of the machine, and before its power goes.
systemctl start mosquitto
systemd-run --quiet --unit meter -p Restart=always -- \
    /box/linli-tool simulate --profile eastron-sdm120 --serial /dev/ttyS3 --unit 1
within 60 "after a reboot the service is there by itself" active
within 30 "and its page" page /healthz --fail
waits() { [ "$(stored blocks)" -gt 3 ]; }
within 120 "without the platform the buffer fills again" waits
stored blocks >/root/blocks
fact "waiting before the power goes: $(cat /root/blocks) blocks"
sync /root/blocks
cut_power
