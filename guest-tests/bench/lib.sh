# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the benches share that run in beds which count instructions. Source it first: it goes to the top of the tree.
# A bench says how it is measured (measure BED ACCEL...) and what comes of it (results BED ACCEL..., from $costs).

# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/lib.sh"

vmlinux=build/bench/vmlinux-6.12

# kernel_and_initrd ARGUMENT...: $vmlinux, the ELF kernel of 6.12, and the initrd of tools/initrd ARGUMENT...
kernel_and_initrd() {
	tools/kernels 6.12
	tools/initrd "$@"
	build/plain/xenolith extract-kernel build/kernels/6.12/vmlinuz $vmlinux
}

# What a configured guest's bench needs in the bed, in the order of its script's arguments; and making it.
# shellcheck disable=SC2034 # for those that source this
guest_files=(build/bench build/plain/xenolith "$vmlinux" build/bench-6.12.cpio build/guest-tests/debian/onpty)
guest_files() {
	kernel_and_initrd bench 6.12
	ninja --quiet build/guest-tests/debian/onpty
}

# counted BED SECONDS ARGUMENT...: guest-tests/bed/run there, for at most so long. What the command names is packed.
counted() { guest-tests/bed/run "$1" --icount --no-tty --timeout "$2" "${@:3}" </dev/null; }

# cost NAME: its value in $costs, "missing" if it is not there.
cost() { awk -v name="$1" '$1 == "COST" && $2 == name { print $3; found = 1 } END { if (!found) print "missing" }' <<<"$costs"; }

# quotient N D: to three places; "missing" if one of the two is missing or 0.
quotient() { awk -v n="$1" -v d="$2" 'BEGIN { if (n + 0 && d + 0) printf "%.3f\n", n / d; else print "missing" }'; }

# over_host ACCEL NAME: the guest's figure as a part of the host's.
over_host() { quotient "$(cost "$1-$2")" "$(cost "host-$2")"; }

# on_beds 'BED:ACCEL...'...: on each, the COST lines, with the bed's name, and the results.
on_beds() {
	local bed accels
	for bed; do
		read -ra accels <<<"${bed#*:}"
		bed=${bed%:*}
		costs=$(measure "$bed" "${accels[@]}")
		grep '^COST' <<<"${costs//COST /COST $bed }" || true
		results "$bed" "${accels[@]}"
	done
}
