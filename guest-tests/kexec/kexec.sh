# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
#
# From kernel to kernel, for run-batch, whose functions and variables these use. One guest with two CPUs goes all the way
# (kexec-stages says what the hops are), and each test is a part of it:
#   kexec:linux   6.1 -> 6.12 -> 6.1
#   kexec:32-bit  6.1 -> a 32-bit kernel with a hypercall page -> 6.1
#   kexec:kdump   6.1 crashes -> 6.1 on one CPU, which reads the dump

kexec_cpus=2
kexec_hops=6.12,6.1,between-6.1,crash-6.1,vmcore

# What must have been printed for a test, one extended regular expression a line.
kexec_evidence() {
	some="with $kexec_cpus CPU\(s\), clock (xen|tsc), hops left:"
	case $1 in
	linux)
		echo "kexec: Linux 6.1 $some $kexec_hops\$"
		echo "kexec: Linux 6.12 $some ${kexec_hops#*,}\$"
		echo "kexec: Linux 6.1 $some between-6.1,crash-6.1,vmcore\$"
		;;
	32-bit)
		echo 'kexec: from a 32-bit kernel on$'
		echo "kexec: Linux 6.1 $some crash-6.1,vmcore\$"
		;;
	kdump)
		echo 'kexec: Linux 6.1 with 1 CPU\(s\), clock (xen|tsc), hops left: vmcore$'
		echo "^vmcore of Linux 6\\.1\\.[^ ]*, $kexec_cpus CPU\\(s\\), [0-9]+ segments\$"
		echo '^kexec: the end$'
		;;
	esac
}

# kexec_verdict TEST: of one part of the run.
kexec_verdict() {
	kexec_evidence "$1" >"$work/evidence"
	while read -r line; do
		if ! grep -qE -e "$line" "$work/output"; then
			result FAIL "kexec:$1:$bed:$accel" "it never printed: $line"
			return
		fi
	done <"$work/evidence"
	if [ "$1" = kdump ] && [ $status != 0 ]; then
		result FAIL "kexec:$1:$bed:$accel" "no clean power-off: xenolith ended with status $status"
		return
	fi
	result PASS "kexec:$1:$bed:$accel" "$took"
}

# kexec_tests KERNEL INITRD: by the best way of interception that the bed has.
kexec_tests() {
	accel=${accels##* } parts=
	for part in linux 32-bit kdump; do
		if wanted "kexec:$part:$bed:$accel"; then parts="$parts $part"; fi
	done
	[ -n "$parts" ] || return 0
	if can run-pvh; then
		run 150 "$xenolith" run --accel="$accel" --memory 1G --vcpus $kexec_cpus --kernel "$1" --initrd "$2" \
			--cmdline "console=hvc0 quiet xenolith.run=kexec-stages kexec=$kexec_hops" || took=150
	fi
	for part in $parts; do
		if can run-pvh; then
			kexec_verdict "$part"
		else
			result SKIP "kexec:$part:$bed:$accel" "needs run-pvh"
		fi
	done
}
