# shellcheck shell=bash
# Sourced after run.sh: the kernel of the virtual machine, prepared once, and the machine itself.

vm_cache="${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/apus/vm"
: "${run_id:=$(new_run_id)}" "${vm_deadline:=600}" "${vm_memory:=1536}"
: "${vm_cpus:=$(($(nproc) < 4 ? $(nproc) : 4))}"
vm_scratch="${TMPDIR:-/tmp}/apus-vm-$run_id"
# What the first stage needs to see the host's files; the rest is loaded from there.
vm_first_modules=(virtio_pci virtio_console virtiofs overlay)

# vm_kernel: makes the kernel, its modules and the first stage in the cache, unless they are there. Sets vm_kernel_dir.
vm_kernel() {
    local package=linux-image-cloud-amd64 image work
    image=$(apt-cache depends "$package" 2> /dev/null | sed -nE 's/^ *Depends: (linux-image-[0-9].*)/\1/p' | head -n 1)
    if [ -z "$image" ]; then
        image=$(basename "$(find "$vm_cache" -maxdepth 1 -name 'linux-image-*' 2> /dev/null | sort -V | tail -n 1)")
        [ -n "$image" ] || die "apt knows no $package; run apt-get update"
    fi
    vm_kernel_dir="$vm_cache/$image"
    [ ! -e "$vm_kernel_dir/initramfs" ] || [ "$vm_kernel_dir/initramfs" -ot "$top/hack/vm.d/init" ] || return 0
    mkdir -p "$vm_cache"
    work=$(mktemp -d "$vm_cache/.work-XXXXXX")
    defer rm -rf "$work"
    if [ ! -e "$vm_kernel_dir/vmlinuz" ]; then
        # Unpacked only: installing it would make this machine boot it.
        (cd "$work" && show apt-get download -q "$image" >&2)
        dpkg-deb -x "$work"/*.deb "$work/modules"
        mkdir -p "$vm_kernel_dir"
        rm -rf "$vm_kernel_dir/modules"
        mv "$work"/modules/boot/vmlinuz-* "$work/vmlinuz"
        rm -rf "$work/modules/boot" "$work/modules/usr"
        busybox depmod -b "$work/modules" "$(vm_version "$work")"
        mv "$work/modules" "$vm_kernel_dir/modules"
        ln -sf /bin/busybox "$vm_kernel_dir/modprobe"
        mv "$work/vmlinuz" "$vm_kernel_dir/vmlinuz"
    fi
    vm_initramfs "$work"
    mv "$work/initramfs" "$vm_kernel_dir/initramfs"
}
vm_version() { basename "$1"/modules/lib/modules/*; }

# vm_initramfs WORK: the first stage: busybox, the script, and the modules with all that they need.
vm_initramfs() {
    local root="$1/root" version modules module files
    version=$(vm_version "$vm_kernel_dir")
    modules="lib/modules/$version"
    mkdir -p "$root"/{bin,sbin,proc,sys,dev,lower,layer,root,"$modules"}
    cp "$(command -v busybox)" "$root/bin/busybox"
    install -m 0755 "$top/hack/vm.d/init" "$root/init"
    for module in "${vm_first_modules[@]}"; do
        # A line of modules.dep: the module's file, a colon, those it needs.
        files=$(sed -nE "s,^(.*/$module\.ko): ?(.*),\1 \2,p" "$vm_kernel_dir/modules/$modules/modules.dep")
        [ -n "$files" ] || die "the kernel $version has no module $module"
        # shellcheck disable=SC2086
        (cd "$vm_kernel_dir/modules/$modules" && cp --parents $files "$root/$modules")
    done
    busybox depmod -b "$root" "$version"
    (cd "$root" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$1/initramfs"
}


# vm_up: boots, and waits until commands are taken.
vm_up() {
    local memory=$vm_memory
    mkdir -m 0700 "$vm_scratch" || die "$vm_scratch exists: another run's"
    defer rm -rf "$vm_scratch"
    spawn "$vm_scratch/files.log" /usr/lib/qemu/virtiofsd --socket-path="$vm_scratch/files.sock" -f \
        -o source=/ -o sandbox=chroot -o cache=always -o no_posix_lock 2> /dev/null
    eventually 10 test -S "$vm_scratch/files.sock" || die "virtiofsd does not start: $(cat "$vm_scratch/files.log")"
    # Never KVM: nested, it is missing or hangs.
    spawn "$vm_scratch/qemu.log" qemu-system-x86_64 -M q35,accel=tcg -cpu max -smp "$vm_cpus" -m "$memory" \
        -nodefaults -no-user-config -no-reboot -display none -nic none \
        -object "memory-backend-memfd,id=memory,size=${memory}M,share=on" -numa node,memdev=memory \
        -chardev "socket,id=files,path=$vm_scratch/files.sock" -device vhost-user-fs-pci,chardev=files,tag=host \
        -chardev "socket,id=control,path=$vm_scratch/control.sock,server=on,wait=off" \
        -device virtio-serial-pci -device virtserialport,chardev=control,name=control \
        -chardev "file,id=console,path=$vm_scratch/console" -serial chardev:console \
        -kernel "$vm_kernel_dir/vmlinuz" -initrd "$vm_kernel_dir/initramfs" -append \
        "console=ttyS0 quiet panic=-1 mitigations=off apus.start=$top/hack/vm.d/start apus.cache=$vm_kernel_dir" \
        2> /dev/null
    vm_machine=$spawned
    vm_deadline=120 vm_in true || {
        tail -n 20 "$vm_scratch/qemu.log" "$vm_scratch/console" >&2
        die "the machine does not boot"
    }
}

# vm_in COMMAND…: the command in the machine, in the same directory; its output and its exit status.
vm_in() {
    [ -e "$vm_scratch" ] || return 125
    python3 "$top/hack/vm.d/client.py" "$vm_scratch/control.sock" "$vm_deadline" "$@"
}

# vm_keep: leaves the machine running and prints its ID; vm_down: ends it.
vm_keep() {
    printf '%s\n' "${cleanup_stack[@]}" > "$vm_scratch/kept"
    cleanup_stack=()
    echo "$run_id"
}
vm_down() {
    [ -e "$vm_scratch/kept" ] || die "no machine $run_id"
    mapfile -t cleanup_stack < "$vm_scratch/kept"
}
