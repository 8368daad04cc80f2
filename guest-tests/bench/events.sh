#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What events cost, counted in instructions (guest-tests/bed/run --icount) and in exits to the host's program. A figure
# with a goal is a BENCH line; the COST lines above them are what it was made of.

# shellcheck source=guest-tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

measure() {
	counted "$1" 300 -- busybox sh guest-tests/bench/events-in-bed build/bench build/plain/xenolith "${@:2}"
}

# exits_per_operation BED: a BENCH line for each EXITS line of stdin. What is sent in the kernel, and no more than the odd
# interrupt of the host, is less than a hundredth of an exit.
exits_per_operation() {
	awk -v bed="$1" '$1 == "EXITS" {
		goal = 1.01
		if ($2 == "kvm-xen-send") goal = 0.01
		if ($2 ~ /-send-and-block$/) goal = 2.02
		if ($2 == "stock-ipi-round-trip") goal = 2.1
		if ($2 == "kvm-xen-ipi-round-trip") goal = 0.1
		if (NF == 4) printf "BENCH %s-%s-exits %.3f exits goal <=%s\n", bed, $2, ($3 - $4) / 1000, goal
		else printf "BENCH %s-%s-exits missing exits goal <=%s\n", bed, $2, goal
	}'
}

# Sends against a bare exit; where it is KVM that sends, there is none.
results() {
	local name
	for name in fifo-send-again fifo-send 2-level-send-again 2-level-send; do
		echo "BENCH $1-stock-$name-over-exit $(quotient "$(cost "stock-$name")" "$(cost bare-exit)") ratio goal <=1.25"
	done
	exits_per_operation "$1" <<<"$costs"
}

on_beds nested-stock:stock 'nested-xen:stock kvm-xen'
