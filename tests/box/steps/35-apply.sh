# A change from the page of an installed gateway: root's unit takes it up, and refuses what is not good.
check "the unit waits for changes" systemctl --quiet is-active linli-apply.path
token=$(linli users token page --role maintainer | tail -n 1)
api() { page "$@" -H "Authorization: Bearer $token"; }
file=/etc/linli/linli.toml
contains "the page hands changes over" "$(api /api/v1/configuration)" '"writing":"handed_over"'

# file with the new text; whether it is applied
change() {
    local text
    text=$(sed 's/\\/\\\\/g; s/"/\\"/g' "$1" | awk '{ printf "%s\\n", $0 }')
    printf '{"file":"%s","base":"%s","apply":true,"text":"%s"}' "$file" "$(sha256sum <$file | cut -d' ' -f1)" "$text" >/run/change
    api /api/v1/configuration -X POST -H 'Content-Type: application/json' --data-binary @/run/change
}
sed 's/^name = .*小区"$/name = "改名的小区"/' "$file" >/run/new
contains "a good change is taken" "$(change /run/new)" '"applied":true'
named() { grep -q 改名的小区 "$file"; }
within 60 "and stands in the file" named
equal "which is root's still" "$(stat -c '%U %a' "$file")" "root 644"
check "the old one is kept" test -e "$file.1"
renamed() { api /api/v1/gateway | grep -q 改名的小区; }
within 60 "the gateway runs with it" renamed
contains "what became of it is told" "$(cat /run/linli-apply/outcome.json)" '"ok":true'
equal "so that the service can read it" "$(stat -c '%U %a' /run/linli-apply/outcome.json)" "root 644"
audited() { api "/api/v1/audit?limit=20" | tr -d ' \n' | grep -q '"from":"linli-apply","action":"configure","about":"[^"]*","outcome":"'"$1"; }
within 60 "and stands in the trail" audited done
refuse "nothing is left" test -e /var/lib/linli/proposal/change.json

printf '\n[stars]\nattestations = "/etc/shadow"\n' | cat "$file" - >/run/new
contains "a path of a file is refused" "$(change /run/new)" "stars.attestations"
# As somebody who took over the daemon: he goes round the page.
put() { su -s /bin/sh linli -c "umask 077; cat >/var/lib/linli/proposal/next && mv /var/lib/linli/proposal/next /var/lib/linli/proposal/change.json"; }
refused() { grep -q "\"ok\":false.*$1" /run/linli-apply/outcome.json; }
check "the service's own folder for changes is its own" test "$(stat -c '%U %a' /var/lib/linli/proposal)" = "linli 700"
echo '{"v":1,"file":"trust/evil.pub","base":"","text":"key","who":"x"}' | put
within 60 "a key of his own is refused" refused "no such file"
refuse "and not there" test -e /etc/linli/trust/evil.pub
within 60 "which the trail tells too" audited refused
su -s /bin/sh linli -c "ln -s /etc/shadow /var/lib/linli/proposal/change.json"
gone() { [ ! -L /var/lib/linli/proposal/change.json ]; }
within 60 "a link is taken away" gone
check "the unit goes on waiting" systemctl --quiet is-active linli-apply.path

# What support gets from the page is made by another process of the service, within its sandbox.
equal "the page gives the bundle for support" "$(api /api/v1/support-bundle --max-time 150 -o /run/bundle -w '%{http_code}')" 200
check "which is whole" zstd -qt /run/bundle
contains "with what the doctor says" "$(zstd -qdc /run/bundle | tar -t)" doctor.txt
refuse "nothing of it stays on the disk" bash -c 'find /var/tmp /tmp -name "linli-support-*" | grep .'
check "the service goes on" active
