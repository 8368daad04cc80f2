#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a network interface costs, counted in instructions (guest-tests/bed/run --icount): TCP between a 6.12 guest and a
# server on the host's loopback, through the user-mode network; as parts of what two processes of the host have between
# them. The COST lines are what the BENCH lines were made of.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools/deps tools
tools/kernels 6.12
tools/initrd bench 6.12
ninja --quiet build/guest-tests/debian/onpty
vmlinux=build/bench/vmlinux-6.12
build/plain/xenolith extract-kernel build/kernels/6.12/vmlinuz $vmlinux

# measure BED ACCEL...: the COST lines of a run there.
measure() {
	guest-tests/bed/run "$1" --icount --no-tty --timeout 500 --with build/bench --with build/plain/xenolith \
		--with build/bench-6.12.cpio --with build/guest-tests/debian/onpty --with guest-tests/bench/network-in-bed \
		--with /usr/bin/passt --with /etc/passwd --with /etc/group -- \
		busybox sh guest-tests/bench/network-in-bed build/bench build/plain/xenolith $vmlinux build/bench-6.12.cpio \
		build/guest-tests/debian/onpty "${@:2}" </dev/null
}

# ratio ACCEL NAME: the guest's figure over the host's.
ratio() {
	awk -v guest="$1-$2" -v host="host-$2" '
		$1 == "COST" { cost[$2] = $3 }
		END { if (cost[guest] && cost[host]) printf "%.3f\n", cost[guest] / cost[host]; else print "missing" }' <<<"$costs"
}

for bed in nested-stock:stock nested-xen:kvm-xen; do
	read -ra accels <<<"${bed#*:}"
	bed=${bed%:*}
	costs=$(measure "$bed" "${accels[@]}")
	grep '^COST' <<<"${costs//COST /COST $bed }" || true
	for accel in "${accels[@]}"; do
		for what in to from trip; do
			echo "BENCH $bed-$accel-network-$what-over-host $(ratio "$accel" $what) ratio"
		done
	done
done
