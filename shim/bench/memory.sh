#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What guest memory costs those who use it: caches (shim/gpc), look-ups and changes of slots (shim/memslot). A figure with
# a goal is a BENCH line; the COST lines are what it was made of. Times are in ns where nothing else is said.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools/deps build bench
program=build/shim-bench/memory_bench
ninja --quiet $program >&2

# instructions ARGUMENT...: executed by the program with these arguments.
instructions() {
	valgrind --tool=callgrind --callgrind-out-file=/dev/null $program "$@" 2>&1 |
		awk '$2 == "Collected" { n = $4 } END { if (!n) exit 1; print n }'
}

# count NAME ARGUMENT...: a COST line of the instructions of one call. What comes before the calls falls out of the
# difference between many calls and few; the loop, two or three instructions, does not. Valgrind has no membarrier(), for
# want of which liburcu takes a fence: its instruction is counted, too.
count() {
	local few=10000 many=110000 name=$1 less more
	shift
	less=$(instructions "$@" $few) more=$(instructions "$@" $many)
	awk -v name="$name" -v n=$((more - less)) -v calls=$((many - few)) 'BEGIN { printf "COST %s %.2f\n", name, n / calls }'
}

# bench NAME NUMERATOR DENOMINATOR UNIT GOAL: of two costs, by name, or a number.
bench() {
	awk -v name="$1" -v n="$2" -v d="$3" -v tail="$4 goal $5" '
		$1 == "COST" { value[$2] = $3 }
		function of(x) { return x in value ? value[x] : x }
		BEGIN { value[1] = 1 }
		END {
			if (of(n) > 0 && of(d) > 0) printf "BENCH %s %.3f %s\n", name, of(n) / of(d), tail
			else print "BENCH", name, "missing", tail
		}' <<<"$costs"
}

costs=$(
	count gpc-instructions gpc
	count look-up-few-instructions look-up 32
	count look-up-many-instructions look-up 32764
	$program times
	$program move
)
printf '%s\n' "$costs"
case $costs in
*' move-kvm-ms '*) echo "the slot that moves is one of KVM's" ;;
*) echo "there is no KVM here: the slot that moves is ours only" ;;
esac

bench gpc-lock-unlock gpc-instructions 1 insns '<=60'
bench gpc-against-rwlock-and-look-up rwlock-and-look-up-time gpc-time ratio '>=5'
bench gpc-two-threads-against-one gpc-2-threads-per-us gpc-1-thread-per-us ratio '>=1.8'
bench look-up-32764-slots-against-32 look-up-many-time look-up-few-time ratio '<=2'
bench look-up-32764-slots-against-32-instructions look-up-many-instructions look-up-few-instructions ratio '<=2'
bench move-1GiB-logged-without-kernel move-ours-ms 1 ms '<=1'
