# shellcheck shell=bash
# Sourced after segment.sh: what a mode is called, what the pool says for it, and whether the running kernel has it.

# The modes in the words of the demo and the lab. crosssubnet alone is over VXLAN.
mode_names=(bgp vxlan crosssubnet ipip crosssubnet-ipip)

# mode_settings MODE: ipipMode and vxlanMode of the pool.
mode_settings() {
    case "$1" in
        bgp) echo Never Never ;;
        vxlan) echo Never Always ;;
        crosssubnet) echo Never CrossSubnet ;;
        ipip) echo Always Never ;;
        crosssubnet-ipip) echo CrossSubnet Never ;;
        *) die "no mode $1; there are: ${mode_names[*]}" ;;
    esac
}
# mode_overhead MODE: the octets of the outer headers; mode_route MODE: the function of subnets.sh that knows its routes.
mode_overhead() { case "$1" in bgp) echo 0 ;; *ipip) echo 20 ;; *) echo 50 ;; esac; }
mode_inner() { case "$1" in *ipip) echo ipip ;; *) echo vxlan ;; esac; }
has_mode_routes() { # has_mode_routes SECONDS MODE
    # shellcheck disable=SC2034
    inner=$(mode_inner "$2")
    routed "$1" "${2%-ipip}"
}

kernel_has() { # kernel_has MODE: whether the running kernel can make the mode's device
    case "$1" in
        bgp) return 0 ;;
        *ipip) unshare --net ip link add probe type ipip local 192.0.2.1 remote 192.0.2.2 2> /dev/null ;;
        *) unshare --net ip link add probe type vxlan id 1 dstport 4789 2> /dev/null ;;
    esac
}

# show_modes: every mode, one after the other, where it can be shown.
show_modes() {
    local here=() there=() mode
    for mode in "${mode_names[@]}"; do
        if kernel_has "$mode"; then here+=("$mode"); else there+=("$mode"); fi
    done
    "$top/hack/lib/demo-modes.sh" "${here[@]}"
    [ ${#there[@]} -gt 0 ] || return 0
    say "the running kernel has no ${there[*]}: shown in a virtual machine, ten to thirty times slower"
    "$top/hack/vm" --deadline 900 env APUS_DEMO_PATIENCE=180 "$top/hack/lib/demo-modes.sh" "${there[@]}"
}
