#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What events cost, counted in instructions (guest-tests/bed/run --icount) and in exits to the host's program. A figure
# with a goal is a BENCH line; the COST lines above them are what it was made of.
set -euo pipefail
cd "$(dirname "$0")/../.."

# measure BED ACCEL...: the lines of a run there.
measure() {
	guest-tests/bed/run "$1" --icount --no-tty --timeout 300 --with build/bench/event-cost-64 --with build/bench/bare_exit \
		--with build/plain/xenolith --with guest-tests/bench/events-in-bed -- busybox sh \
		guest-tests/bench/events-in-bed build/bench build/plain/xenolith "${@:2}" </dev/null
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

# over_exit BED ACCEL: sends against a bare exit.
over_exit() {
	awk -v bed="$1" -v accel="$2" '
		$1 == "COST" { cost[$2] = $3 }
		END {
			for (i = split("2-level-send 2-level-send-again fifo-send fifo-send-again", name); i; i--) {
				n = accel "-" name[i]
				v = cost["bare-exit"] && cost[n] ? sprintf("%.3f", cost[n] / cost["bare-exit"]) : "missing"
				print "BENCH " bed "-" n "-over-exit", v, "ratio goal <=1.25"
			}
		}'
}

for bed in nested-stock:stock 'nested-xen:stock kvm-xen'; do
	read -ra accels <<<"${bed#*:}"
	bed=${bed%:*}
	lines=$(measure "$bed" "${accels[@]}")
	grep '^COST' <<<"${lines//COST /COST $bed }" || true
	over_exit "$bed" stock <<<"$lines" # where it is KVM that sends, there is no exit
	exits_per_operation "$bed" <<<"$lines"
done
