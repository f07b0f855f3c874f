# Runs the steps that have not run yet, inside the machine. A step ends the machine by `reboot_box`
# or `cut_power`; the next start goes on with the next step.
set -u
export HOME=/root DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
done_steps=/var/lib/box-steps
touch "$done_steps"
for step in /box/steps/*.sh; do
    name=$(basename "$step" .sh)
    grep -qx "$name" "$done_steps" && continue
    echo "@@== $name"
    # Before it runs: a step that cuts the power has run.
    echo "$name" >>"$done_steps"
    sync "$done_steps"
    if ! STEP=$name bash -c 'set -u; . /box/lib.sh; . "$1"' step "$step" </dev/null; then
        echo "@@FAILED the step $name ended with a fault"
    fi
done
echo "@@done"
sleep infinity
