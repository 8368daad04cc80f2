#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a disk costs, counted in instructions (guest-tests/bed/run --icount): a raw image on tmpfs, direct requests of a
# 6.12 guest. A figure with a goal is a BENCH line; the COST lines above them are what it was made of. The goals of
# reads are above what QEMU's xen-disk (600 and 328 MB/s, 10.4k and 22k IOPS) and its virtio-blk (1340, 481, 10.7k,
# 20.4k) do there. Writes are parts of the host's own into the same file.

# shellcheck source=guest-tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

guest_files

measure() {
	counted "$1" 600 -- busybox sh guest-tests/bench/block-in-bed "${guest_files[@]}" "${@:2}"
}

results() {
	local accel name
	for accel in "${@:2}"; do
		name=$1-$accel-block
		echo "BENCH $name-read-1M $(cost "$accel-read-1048576x1-rate") MB/s goal >=1400"
		echo "BENCH $name-read-64K $(cost "$accel-read-65536x1-rate") MB/s goal >=600"
		echo "BENCH $name-read-4k $(cost "$accel-read-4096x1-iops") IOPS goal >=12000"
		echo "BENCH $name-read-4k-by-8 $(cost "$accel-read-4096x8-iops") IOPS goal >=30000"
		echo "BENCH $name-write-1M-over-host $(over_host "$accel" write-1048576x1-rate) ratio"
		echo "BENCH $name-write-64K-over-host $(over_host "$accel" write-65536x1-rate) ratio"
		echo "BENCH $name-write-4k-over-host $(over_host "$accel" write-4096x1-iops) ratio"
		echo "BENCH $name-write-4k-by-8-over-host $(over_host "$accel" write-4096x8-iops) ratio"
	done
}

on_beds nested-stock:stock nested-xen:kvm-xen
