#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a hypercall and a boot cost, counted in instructions (guest-tests/bed/run --icount). A figure with a goal is a
# BENCH line; the COST lines above them are what it was made of.

# shellcheck source=guest-tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

kernel_and_initrd guest

measure() {
	counted "$1" 300 -- busybox sh guest-tests/bench/in-bed \
		build/bench build/plain/xenolith $vmlinux build/guest-initrd.cpio build/bench/hypercall-cost-64
}

# bench NAME NUMERATOR DENOMINATOR UNIT GOAL
bench() { echo "BENCH $1 $(quotient "$2" "$3") $4 goal $5"; }

results() {
	local bed=$1 bare accel
	bare=$(cost bare-exit)
	bench "$bed-hypercall-page-over-exit" "$(cost stock-extraversion-page)" "$bare" ratio '<=1.15'
	bench "$bed-hypercall-page-sandboxed-over-exit" "$(cost sandboxed-extraversion-page)" "$bare" ratio '<=1.15'
	bench "$bed-hypercall-instruction-over-exit" "$(cost stock-extraversion-instruction)" "$bare" ratio '<=1.5'
	for accel in "${@:2}"; do
		bench "$bed-$accel-boot-6.12" "$(cost "boot-$accel-time")" 1000000000 Ginsns '<=1.50'
		bench "$bed-$accel-boot-6.12-exits" "$(cost "boot-$accel-exits")" 1 exits '<=3000'
		bench "$bed-$accel-boot-6.12-resident" "$(cost "boot-$accel-resident")" 1024 MiB '<=8'
	done
}

on_beds nested-stock:stock 'nested-xen:stock kvm-xen'
