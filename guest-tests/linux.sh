# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: BSD-2-Clause
#
# The boots of real kernels, for run-batch, whose functions and variables these use.
#
# Each kernel boots with 1 and with 4 CPUs, by the best way of interception that the bed has, and by its PV entry, where
# there is but one, and linux-life (guest-tests/linux) looks at its life. The guests begin one after the other, and wait
# together for the minute to pass after which their clocks are looked at.

linux_kinds='cpus1 cpus4 pv-cpus1 pv-cpus4'

# evidence LIFE: each line is an extended regular expression of something that a whole boot must print. The kernel
# names its banner after the hypervisor; the older ones call themselves paravirtualized in it.
evidence() {
	case $1 in
	*-pv-*)
		echo 'Hypervisor detected: Xen PV'
		echo 'Booting (paravirtualized )?kernel on Xen( PV)?$'
		;;
	*)
		echo 'Hypervisor detected: Xen HVM'
		echo 'Booting (paravirtualized )?kernel on Xen PVH'
		;;
	esac
	cat <<'END'
xenolith-guest: userspace is up
xenolith-guest: Linux [^ ]*, hypervisor xen$
life: SUCCESS
END
}

# linux_live VMLINUZ CPUS ACCEL [--pv]: a guest's whole life, into $work/life.$life and, how it ended,
# $work/life.$life.status.
linux_live() {
	{
		# shellcheck disable=SC2086 # --pv or nothing
		timeout -k 5 200 "$xenolith" run $4 --accel="$3" --memory 256M --vcpus "$2" --kernel "$1" --initrd "$initrd" \
			--cmdline "console=hvc0 xenolith.run=linux-life,$2" </dev/null 2>&1
		echo $? >"$work/life.$life.status"
	} | "$linux_life" --witness | tr -d '\r' >"$work/life.$life"
	now >"$work/life.$life.ended"
}

life_says() { grep -q "^life: $1\$" "$work/life.$life" 2>/dev/null; }

# Until this guest waits or has ended; while it wants load, the machine has something else to do too.
linux_settle() {
	hog=
	while ! life_says waits && [ ! -e "$work/life.$life.ended" ]; do
		if [ -z "$hog" ] && life_says load; then
			(while :; do :; done) &
			hog=$!
		fi
		if [ -n "$hog" ] && life_says 'load is over'; then break; fi
		sleep 0.1
	done
	[ -z "$hog" ] || kill "$hog"
	while ! life_says waits && [ ! -e "$work/life.$life.ended" ]; do sleep 0.1; done
}

# linux_verdict TEST: of the guest $life, whose thread of execution has been waited for.
linux_verdict() {
	mv "$work/life.$life" "$work/output"
	status=$(cat "$work/life.$life.status")
	took=$(($(cat "$work/life.$life.ended") - $(cat "$work/life.$life.started")))
	took=$(printf '%d.%02d' $((took / 100)) $((took % 100)))
	evidence "$1" >"$work/evidence"
	if [ "$status" = 124 ] || [ "$status" = 137 ]; then
		result FAIL "$1" "still running after 200 s"
		return
	fi
	while read -r line; do
		if ! grep -qE -e "$line" "$work/output"; then
			result FAIL "$1" "it never printed: $line"
			return
		fi
	done <"$work/evidence"
	if [ "$status" != 0 ]; then
		result FAIL "$1" "no clean power-off: xenolith ended with status $status"
		return
	fi
	result PASS "$1" "$took"
}

# linux_start RELEASE=VMLINUZ KIND
linux_start() {
	accel=${accels##* } needs=run-pvh option=''
	case $2 in pv-*) accel=stock needs=pv option=--pv ;; esac
	life=${1%%=*}-$2:$bed:$accel
	wanted "linux:$life" || return 0
	if ! can "$needs"; then
		result SKIP "linux:$life" "needs $needs"
		return 0
	fi
	lives="$lives $life"
	now >"$work/life.$life.started"
	linux_live "${1#*=}" "${2##*cpus}" "$accel" "$option" &
	linux_settle
}

# linux_boots RELEASE=VMLINUZ...
linux_boots() {
	lives=''
	for linux in "$@"; do
		for kind in $linux_kinds; do
			linux_start "$linux" "$kind"
		done
	done
	wait
	for life in $lives; do
		linux_verdict "linux:$life"
	done
}
