#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a network interface costs, counted in instructions (guest-tests/bed/run --icount): TCP between a 6.12 guest and a
# server on the host's loopback, through the user-mode network; as parts of what two processes of the host have between
# them. The COST lines are what the BENCH lines were made of.

# shellcheck source=guest-tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

tools/deps tools
guest_files

measure() {
	counted "$1" 500 --with /usr/bin/passt --with /etc/passwd --with /etc/group -- \
		busybox sh guest-tests/bench/network-in-bed "${guest_files[@]}" "${@:2}"
}

results() {
	local accel what
	for accel in "${@:2}"; do
		for what in to from trip; do
			echo "BENCH $1-$accel-network-$what-over-host $(over_host "$accel" $what) ratio"
		done
	done
}

on_beds nested-stock:stock nested-xen:kvm-xen
