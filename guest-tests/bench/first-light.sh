#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a hypercall and a boot cost, counted in instructions (guest-tests/bed/run --icount). A figure with a goal is a
# BENCH line; the COST lines above them are what it was made of.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools/kernels 6.12
tools/initrd guest
vmlinux=build/bench/vmlinux-6.12
build/plain/xenolith extract-kernel build/kernels/6.12/vmlinuz $vmlinux

# measure BED: the COST lines of a run there.
measure() {
	guest-tests/bed/run "$1" --icount --no-tty --timeout 300 --with build/bench --with build/guest-initrd.cpio \
		--with build/plain/xenolith -- busybox sh guest-tests/bench/in-bed \
		build/bench build/plain/xenolith $vmlinux build/guest-initrd.cpio build/bench/hypercall-cost-64 </dev/null
}

# cost NAME: its value in $costs, "-" if it is not there.
cost() { awk -v name="$1" '$1 == "COST" && $2 == name { print $3; found = 1 } END { if (!found) print "-" }' <<<"$costs"; }

# bench NAME NUMERATOR DENOMINATOR UNIT GOAL
bench() {
	awk -v n="$2" -v d="$3" -v head="BENCH $1" -v tail="$4 goal $5" \
		'BEGIN { if (n == "-" || d == "-") print head, "missing", tail; else printf "%s %.3f %s\n", head, n / d, tail }'
}

for bed in nested-stock nested-xen; do
	costs=$(measure $bed)
	printf '%s\n' "${costs//COST /COST $bed }"
	bare=$(cost bare-exit)
	bench $bed-hypercall-page-over-exit "$(cost stock-extraversion-page)" "$bare" ratio '<=1.15'
	bench $bed-hypercall-instruction-over-exit "$(cost stock-extraversion-instruction)" "$bare" ratio '<=1.5'
	for accel in stock kvm-xen; do
		[ "$bed:$accel" != nested-stock:kvm-xen ] || continue
		bench $bed-$accel-boot-6.12 "$(cost boot-$accel-time)" 1000000000 Ginsns '<=1.50'
		bench $bed-$accel-boot-6.12-exits "$(cost boot-$accel-exits)" 1 exits '<=3000'
		bench $bed-$accel-boot-6.12-resident "$(cost boot-$accel-resident)" 1024 MiB '<=8'
	done
done
