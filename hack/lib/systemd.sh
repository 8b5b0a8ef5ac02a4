#!/usr/bin/env bash
# systemd.sh: the part of hack/test systemd that runs in the virtual machine: systemd as process 1 of namespaces of its
# own, the programs and the unit installed as the README has it, and what an operator meets.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/run.sh"
. "$top/hack/lib/check.sh"

# The machine's files are the host's under a layer in memory: its units and what lies in /tmp are nobody's business here.
mount -t tmpfs units /etc/systemd/system
for unit in systemd-{firstboot,tmpfiles-setup,tmpfiles-clean,udev-trigger,update-utmp,hwdb-update}.service timers.target; do
    ln -s /dev/null "/etc/systemd/system/$unit"
done
rm -rf /etc/apus /var/lib/apus /etc/default/apusd
"$top/hack/install" --only programs /opt/cni/bin /etc/cni/net.d
install -m 0755 "$dist/apusd" "$dist/apusctl" /usr/local/bin
install -m 0644 "$top/hack/systemd/apusd.service" /etc/systemd/system/
printf '[Unit]\nRequires=basic.target\nAfter=basic.target\n' > /etc/systemd/system/box.target
check "systemd finds no fault in the unit" equal '' "$(systemd-analyze verify --man=no apusd.service 2>&1)"

echo node1 > /etc/hostname
# Where there is none, as in a container's image, systemd takes it for the first boot.
[ -s /etc/machine-id ] || systemd-machine-id-setup
mkdir /sys/fs/cgroup/box
log=$(mktemp)
(
    echo "$BASHPID" > /sys/fs/cgroup/box/cgroup.procs
    # shellcheck disable=SC2016
    exec unshare --pid --mount --uts --ipc --net --cgroup --fork --kill-child bash -c '
        mount -t proc proc /proc
        for directory in /run /tmp /var/tmp /var/log; do mount -t tmpfs -o mode=0755 none "$directory"; done
        umount /sys/fs/cgroup
        mount -t cgroup2 cgroup2 /sys/fs/cgroup
        ip link set lo up
        exec env -i PATH="$PATH" container=box /lib/systemd/systemd --unit=box.target --show-status=no' > "$log" 2>&1
) &
find_box() { box=$(pgrep -x systemd | head -n 1); }
eventually 60 find_box || die "systemd does not start: $(cat "$log")"
in_box() { nsenter -t "$box" -a "$@"; }
is_up() { [[ "$(in_box systemctl is-system-running 2> /dev/null)" =~ ^(running|degraded)$ ]]; }
eventually 120 is_up || die "systemd does not come up: $(cat "$log")"

# property NAME: of the unit. restarted FORMER: whether another process is the daemon, and ready.
property() { in_box systemctl show apusd --property="$1" --value; }
journal() { in_box journalctl --unit=apusd --no-pager --output=cat "$@"; }
restarted() { [ "$(property ActiveState)" = active ] && [ "$(property MainPID)" != "$1" ]; }
has_status() { contains "$1" "$(property StatusText)"; }

check "a daemon without its configuration is ready" in_box systemctl start apusd
check "and says what it waits for" eventually 30 has_status "no Node resource node1 in /etc/apus"
check "the journal has the priority of a line" contains_line '^/etc/apus: does not exist' "$(journal --priority=err)"
check "and no notice among the errors" contains_no_line 'apusd starts' "$(journal --priority=err)"
check "the lines have no time of their own" contains_no_line '20[0-9]{2}-[0-9]{2}-' "$(journal)"

# configured: the README's first files, for a node whose address is on a link of the box.
in_box ip link add eth0 type veth peer name wire
in_box ip address add 192.168.1.1/24 dev eth0
in_box ip link set eth0 up
in_box ip link set wire up
mkdir /etc/apus
cat > /etc/apus/cluster.yaml << 'YAML'
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: default}
spec: {cidr: 10.244.0.0/16, ipipMode: Never, vxlanMode: Never}
---
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: node1}
spec: {bgp: {ipv4Address: 192.168.1.1/24, asNumber: 64512}}
YAML
first=$(property MainPID)
has_block() { in_box grep -qs '"blocks":\[{' /run/apus/node.json; }
check "with its files there it claims a block" eventually 60 has_block
check "without a restart" equal "$first" "$(property MainPID)"

# A pod that lives through all of it.
in_box ip netns add pod
config='{"cniVersion":"1.1.0","name":"apus","type":"apus","mode":"bgp"}'
call() {
    in_box env -i PATH="$PATH" CNI_COMMAND="$1" CNI_CONTAINERID=one CNI_IFNAME=eth0 CNI_NETNS=/var/run/netns/pod \
        CNI_PATH=/opt/cni/bin /opt/cni/bin/apus <<< "$config"
}
check "a pod is added" contains_line '"address": *"10\.244\.' "$(call ADD)"
pod=$(in_box ip -4 -o route show proto 97 | grep -o '^10\.244\.[0-9.]* dev cali[0-9a-f]*' || true)
check "and has its route" contains "dev cali" "$pod"
has_pod() { contains "$pod" "$(in_box ip -4 route show proto 97)"; }

in_box kill -KILL "$first"
check "killed, it is back by itself" eventually 60 restarted "$first"
check "with the pod's record and route" has_pod
check "and takes over what it finds" eventually 30 contains_line 'apusd starts.*restart=true' "$(journal)"

echo 'OPTIONS="--metrics 9179 --log-level notice"' > /etc/default/apusd
check "a restart with options of /etc/default/apusd" in_box systemctl restart apusd
is_answering() { in_box bash -c 'exec 3<>/dev/tcp/127.0.0.1/9179'; }
check "heeds them" eventually 30 is_answering

echo 'OPTIONS="--no-such-option"' > /etc/default/apusd
check "with an option that is none it does not start" fails in_box systemctl restart apusd
is_named() { contains_line "Unknown option '--no-such-option'" "$(journal)"; }
check "which the journal names" eventually 30 is_named
rm /etc/default/apusd
is_active() { [ "$(property ActiveState)" = active ]; }
check "mended, it comes back by itself" eventually 60 is_active
check "the pod's route has been there all the time" has_pod

check "stopped" in_box systemctl stop apusd
check "it has ended well" equal "success" "$(property Result)"
check "and leaves the pod its route and its record" has_pod
check "a pod goes without it" call DEL
check "and nothing of it stays" contains_no_line 'cali' "$(in_box ip -4 route show; in_box ip -o link show)"
