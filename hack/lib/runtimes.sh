#!/usr/bin/env bash
# runtimes.sh SCRATCH DIST: gives the mount namespace it is started in a place for container runtimes that shares nothing
# with the machine's own, writes their configuration, says so in SCRATCH/ready and waits.
#
# The runtimes' directories of CNI are fixed (containerd) or configured (podman); /sys must be the network namespace's
# own, and the control groups are bound into it again.
set -euo pipefail
scratch=$1 dist=$2

mount --make-rprivate /
mkdir -p "$scratch/cgroup" "$scratch/graph" "$scratch/containerd"
mount --rbind /sys/fs/cgroup "$scratch/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$scratch/cgroup" /sys/fs/cgroup
for directory in /run/netns /var/lib/cni /etc/cni /opt; do mount -t tmpfs tmpfs "$directory"; done
mkdir -p /etc/cni/net.d /opt/cni/bin
for program in "$dist/apus" "$dist/apus-ipam" /usr/lib/cni/portmap /usr/lib/cni/loopback; do
    install -m 0755 "$program" /opt/cni/bin/
done
install -m 0644 "$scratch/10-apus.conflist" /etc/cni/net.d/

cat > "$scratch/containers.conf" << CONF
[containers]
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
seccomp_profile = "unconfined"
apparmor_profile = ""
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
runtime = "runc"
[network]
network_backend = "cni"
cni_plugin_dirs = ["/opt/cni/bin"]
network_config_dir = "/etc/cni/net.d"
default_network = "apus"
CONF
cat > "$scratch/storage.conf" << CONF
[storage]
driver = "overlay"
graphroot = "$scratch/graph"
runroot = "$scratch/graph-run"
CONF
cat > "$scratch/containerd.toml" << CONF
version = 2
root = "$scratch/containerd/root"
state = "$scratch/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "$scratch/containerd/sock"
CONF
touch "$scratch/ready"
exec sleep infinity
