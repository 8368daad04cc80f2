#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What our xenstore does in a second beside Debian's own C xenstored, on the same machine in the same minute: the same
# client on a unix socket, the same requests, a thousand nodes. xenstored gets a hypervisor that says yes to everything
# (fake_xen.c), for want of which it does not start. COST lines are operations per second, BENCH lines ours by theirs.

# shellcheck source=tools/lib.sh
. "$(dirname "$0")/../../../tools/lib.sh"

tools/deps build tools
seconds=${1:-0.5} rounds=5
built=build/xenstore-bench
ninja --quiet $built/all >&2

dir=$(mktemp -d)
servers=()
trap '[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null; rm -rf "$dir"' EXIT

# wait_for SOCKET
wait_for() {
	local n
	for n in $(seq 100); do
		[ ! -S "$1" ] || return 0
		sleep 0.05
	done
	die "no server comes up at $1 ($n tries)"
}

start_ours() {
	build/plain/host/xenstore/store_server "$dir/ours" >"$dir/ours.log" &
	servers+=($!)
	wait_for "$dir/ours"
}

start_theirs() {
	local xenstored
	xenstored=$(find /usr/lib/xen-*/bin -name xenstored 2>/dev/null | head -n 1)
	[ -n "$xenstored" ] || die "there is no C xenstored"
	mkdir "$dir/root"
	XENSTORED_ROOTDIR=$dir/root XENSTORED_RUNDIR=$dir/root LD_PRELOAD=$PWD/$built/fake_xen.so \
		"$xenstored" --no-fork --internal-db --pid-file "$dir/root/pid" >"$dir/theirs.log" 2>&1 &
	servers+=($!)
	wait_for "$dir/root/socket"
}

# The best of some rounds, in turns: what else the machine does slows down, never speeds up.
best() { awk '$1 == "COST" && $3 > best[$2] { best[$2] = $3 } END { for (name in best) print "COST", name, best[name] }'; }

start_ours
start_theirs
for _ in $(seq $rounds); do
	$built/store_bench "$dir/ours" "$seconds" >>"$dir/ours.costs"
	$built/store_bench "$dir/root/socket" "$seconds" >>"$dir/theirs.costs"
done
best <"$dir/ours.costs" | sort | sed 's/^COST /COST xenstore-/'
best <"$dir/theirs.costs" | sort | sed 's/^COST /COST xenstored-/'

# bench NAME COST GOAL
bench() {
	awk -v name="$1" -v cost="$2" -v goal="$3" '
		$2 == cost { value[FILENAME] = $3 > value[FILENAME] ? $3 : value[FILENAME] }
		END { printf "BENCH %s %.3f ratio goal >=%s\n", name, value[ARGV[1]] / value[ARGV[2]], goal }
	' "$dir/ours.costs" "$dir/theirs.costs"
}

bench xenstore-reads-against-xenstored reads 1
bench xenstore-writes-against-xenstored writes 1
bench xenstore-transactions-against-xenstored transactions 1
bench xenstore-devices-against-xenstored devices 1
bench xenstore-pipelined-reads-against-xenstored pipelined-reads 5
bench xenstore-parallel-transactions-against-xenstored parallel-transactions 5
