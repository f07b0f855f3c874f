# What the steps are written with. Standard output is the host's: lines with @@ are shown there.

say() { printf '%s\n' "$*" | sed 's/^/@@   /'; }

# check "what holds" COMMAND...: a command that must succeed.
check() {
    local words=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "@@ok $words"
    else
        echo "@@FAILED $words"
        say "\$ $*"
        printf '%s\n' "$output" | tail -n 25 | sed 's/^/@@   | /'
    fi
}

# refuse "what does not happen" COMMAND...: a command that must fail.
refuse() {
    local words=$1 output
    shift
    if output=$("$@" 2>&1); then
        echo "@@FAILED $words"
        say "\$ $* succeeded:"
        printf '%s\n' "$output" | tail -n 25 | sed 's/^/@@   | /'
    else
        echo "@@ok $words"
    fi
}

# within SECONDS "what comes true" COMMAND...: tries again until it succeeds.
within() {
    local limit=$(($1 + SECONDS)) words=$2 begun=$SECONDS
    shift 2
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$limit" ]; then
            check "$words" "$@"
            return
        fi
        sleep 0.3
    done
    echo "@@ok $words ($((SECONDS - begun)) s)"
}

# equal "what is the same" IS OUGHT
equal() {
    if [ "$2" = "$3" ]; then
        echo "@@ok $1"
    else
        echo "@@FAILED $1: is \`$2\`, ought to be \`$3\`"
    fi
}

# contains "what is said" TEXT PART
contains() {
    case $2 in
    *"$3"*) echo "@@ok $1" ;;
    *)
        echo "@@FAILED $1: no \`$3\` in:"
        printf '%s\n' "$2" | tail -n 25 | sed 's/^/@@   | /'
        ;;
    esac
}

# A figure for the reader.
fact() { echo "@@-- $*"; }

# Starts the machine again, orderly; the next step goes on.
reboot_box() {
    systemctl --no-block reboot
    sleep infinity
}

# Takes the power away from the machine at once; the next step goes on with what was on the disk.
cut_power() {
    echo "@@cut"
    sleep infinity
}

page() { curl -sS --max-time 20 "http://127.0.0.1:8080$1" "${@:2}"; }

active() { systemctl --quiet is-active linli.service; }

main_pid() { systemctl show --value --property MainPID linli.service; }

# What the buffer holds, by this word of its JSON.
stored() { linli buffer show --json | tr -d ' \n' | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
