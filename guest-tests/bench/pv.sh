#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What a PV guest costs, counted in instructions (guest-tests/bed/run --icount) and in exits: Debian's 6.12 from exec to the
# first line of /init, and its system calls, page faults, and forks with exec, beside those of the same kernel as PVH. A
# figure with a goal is a BENCH line; the COST and EXITS lines above them are what it was made of.
#
# Exits are those of one operation: what a whole guest has with so many of them, less what it has with none. By reason: the
# hypercalls that come out, by name, and what KVM counts: irq_exits are the host's interrupts, insn_emulation what KVM does
# in the guest's place. What remains is the timer. Why the boot does not reach its goal is told in docs/pv.md.

# shellcheck source=guest-tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

kernel_and_initrd bench 6.12
tools/initrd guest

measure() {
	counted "$1" 600 -- busybox sh guest-tests/bench/pv-in-bed \
		build/bench build/plain/xenolith $vmlinux build/guest-initrd.cpio build/bench-6.12.cpio
}

# exits_of BED KIND COUNT GOAL: of one operation, by reason; all of them together have the goal.
exits_of() {
	awk -v name="$1-pv-$2-exits" -v kind="$2" -v count="$3" -v goal="$4" '
		$1 == "EXITS" && $2 == "nothing" { base[$3] = $4 }
		$1 == "EXITS" && $2 == kind { is[$3] = $4 }
		$1 == "COST" && $2 == kind "-ns" { ns = $3 }
		function each(what) { return (is[what] - base[what]) / count }
		END {
			for (what in is)
				if (what != "exits" && each(what) >= 0.001) printf "COST %s-%s %.3f\n", name, what, each(what)
			if (!("exits" in base) || !("exits" in is) || !ns) {
				print "BENCH " name " missing exits goal <=" goal
				exit
			}
			printf "BENCH %s %.3f exits goal <=%s\n", name, each("exits"), goal
			printf "BENCH %s-per-second %.0f exits\n", name, each("exits") * 1000000000 / ns
		}' <<<"$costs"
}

# ratio BED KIND GOAL: PV to PVH.
ratio() { echo "BENCH $1-pv-$2-over-pvh $(quotient "$(cost "$2-ns")" "$(cost "pvh-$2-ns")") ratio goal <=$3"; }

results() {
	echo "BENCH $1-pv-boot-6.12 $(quotient "$(cost boot-time)" 1000000000) Ginsns goal <=1.80"
	echo "BENCH $1-pv-boot-6.12-exits $(cost boot-exits) exits"
	ratio "$1" calls 2.5
	ratio "$1" faults 2
	ratio "$1" forks 2.3
	exits_of "$1" calls 200000 0.01
	exits_of "$1" faults 50000 0.05
	exits_of "$1" forks 1000 1
}

on_beds nested-stock:stock
