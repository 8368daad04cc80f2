#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a disk costs, counted in instructions (guest-tests/bed/run --icount): a raw image on tmpfs, direct requests of a
# 6.12 guest. A figure with a goal is a BENCH line; the COST lines above them are what it was made of. The goals of
# reads are above what QEMU's xen-disk (600 and 328 MB/s, 10.4k and 22k IOPS) and its virtio-blk (1340, 481, 10.7k,
# 20.4k) do there. Writes are parts of the host's own into the same file.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools/kernels 6.12
tools/initrd bench 6.12
ninja --quiet build/guest-tests/debian/onpty
vmlinux=build/bench/vmlinux-6.12
build/plain/xenolith extract-kernel build/kernels/6.12/vmlinuz $vmlinux

# measure BED ACCEL...: the COST lines of a run there.
measure() {
	guest-tests/bed/run "$1" --icount --no-tty --timeout 600 --with build/bench --with build/plain/xenolith \
		--with build/bench-6.12.cpio --with build/guest-tests/debian/onpty --with guest-tests/bench/block-in-bed -- \
		busybox sh guest-tests/bench/block-in-bed build/bench build/plain/xenolith $vmlinux build/bench-6.12.cpio \
		build/guest-tests/debian/onpty "${@:2}" </dev/null
}

# cost NAME: its value in $costs, "missing" if it is not there.
cost() { awk -v name="$1" '$1 == "COST" && $2 == name { print $3; found = 1 } END { if (!found) print "missing" }' <<<"$costs"; }

# over_host ACCEL NAME: the same figure's part of the host's.
over_host() {
	awk -v n="$(cost "$1-$2")" -v d="$(cost "host-$2")" \
		'BEGIN { if (n == "missing" || d == "missing" || d == 0) print "missing"; else printf "%.3f\n", n / d }'
}

for bed in nested-stock:stock 'nested-xen:kvm-xen'; do
	read -ra accels <<<"${bed#*:}"
	bed=${bed%:*}
	costs=$(measure "$bed" "${accels[@]}")
	grep '^COST' <<<"${costs//COST /COST $bed }" || true
	for accel in "${accels[@]}"; do
		name=$bed-$accel-block
		echo "BENCH $name-read-1M $(cost "$accel-read-1048576x1-rate") MB/s goal >=1400"
		echo "BENCH $name-read-64K $(cost "$accel-read-65536x1-rate") MB/s goal >=600"
		echo "BENCH $name-read-4k $(cost "$accel-read-4096x1-iops") IOPS goal >=12000"
		echo "BENCH $name-read-4k-by-8 $(cost "$accel-read-4096x8-iops") IOPS goal >=30000"
		echo "BENCH $name-write-1M-over-host $(over_host "$accel" write-1048576x1-rate) ratio"
		echo "BENCH $name-write-64K-over-host $(over_host "$accel" write-65536x1-rate) ratio"
		echo "BENCH $name-write-4k-over-host $(over_host "$accel" write-4096x1-iops) ratio"
		echo "BENCH $name-write-4k-by-8-over-host $(over_host "$accel" write-4096x8-iops) ratio"
	done
done
