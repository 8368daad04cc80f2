# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: BSD-2-Clause
#
# What a user does at the guest's console, for in-bed, whose variables these use. All that appears there is kept in
# $work/console; `seen` is how much of it has been looked at.

console='' seen=0
escape=$(printf '\033')

# attach COMMAND...: the console, by that command on a terminal of its own, until it ends or is detached.
attach() {
	detach
	mkfifo "$work/keys"
	"$tests/onpty" "$@" <>"$work/keys" >>"$work/console" 2>&1 &
	console=$!
}

detach() {
	if [ -n "$console" ]; then
		kill "$console" 2>/dev/null
		wait "$console" 2>/dev/null
	fi
	rm -f "$work/keys"
	console=
}

mark() { seen=$(wc -c <"$work/console"); }

# What has appeared since the mark, without colours.
appeared() { tail -c "+$((seen + 1))" "$work/console" | plain; }
plain() { tr -d '\r' | sed "s/$escape\[[0-9;?]*[a-zA-Z]//g"; }

type_in() { printf '%s\r' "$1" >"$work/keys"; }

# expect PATTERN SECONDS: wait for a line that holds this extended regular expression. A machine that does something else at
# the moment makes guests slow, so the seconds begin anew with whatever appears, up to three times as many in all.
expect() {
	begun=$(now) moved=$(now) shown=$(wc -c <"$work/console") delay=0.2
	while ! appeared | grep -aqE -e "$1"; do
		waited=$(($(now) - begun))
		if [ $(($(now) - moved)) -gt $(($2 * 100)) ] || [ $waited -gt $(($2 * 300)) ]; then
			why="the console did not show within $((waited / 100)) s: $1"
			return 1
		fi
		sleep $delay
		case $delay in 0.2) delay=0.5 ;; *) delay=1 ;; esac # looking costs time, too
		was=$shown shown=$(wc -c <"$work/console")
		[ "$shown" = "$was" ] || moved=$(now)
	done
}

# The guest has come up and somebody may log in.
await_login() { expect 'debian login: ' 500; }

# log_in: as root. Then a shell without prompts, echo and kernel messages, for `guest`.
log_in() {
	mark
	type_in ''
	expect 'debian login: $' 30 || return
	mark
	type_in root
	expect 'Password: $' 60 || return
	mark
	type_in xenolith
	expect 'root@debian:.*# ' 60 || return
	mark
	type_in 'dmesg -n 1; exec env PS1= sh -c "stty -echo; echo a shell for tests; exec sh"'
	expect '^a shell for tests' 30
}

# rouse PATTERN: what should have appeared has not. Is it a vCPU that sleeps on, which a moment's pause rouses, or the
# console, which a key does?
rouse() {
	missed=$why
	look_at_guest
	"$xenolith" pause debian && "$xenolith" unpause debian
	if expect "$1" 5; then
		echo 'it appeared when the guest had been paused'
	elif type_in '' && expect "$1" 5; then
		echo 'it appeared when a key had been pressed'
	fi
	why=$missed
}

# guest COMMAND [SECONDS]: run it there; its output and its status are ours (124: there was no end of it).
guest() {
	asked=$(($(cat "$work/asked") + 1)) # by a file, for `guest` also runs in subshells
	echo $asked >"$work/asked"
	mark
	type_in "$1
echo \"<\$?-$asked>\""
	if ! expect "<[0-9]+-$asked>\$" "${2:-30}"; then
		rouse "<[0-9]+-$asked>\$" >&2
		return 124
	fi
	appeared | sed "/<[0-9]*-$asked>\$/q" | sed "s/<[0-9]*-$asked>\$//"
	return "$(appeared | sed -n "s/.*<\([0-9]*\)-$asked>\$/\1/p")"
}
