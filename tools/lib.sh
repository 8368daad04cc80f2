# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
# What the scripts share. Source it first: it goes to the top of the tree, which every path is relative to.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

# One line of progress, on stderr: stdout belongs to the command that was asked for.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
	say "$*"
	exit 1
}

# as_root COMMAND...: as it is for root, through sudo for others (never asking for a password under CI).
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null && { [ "${CI:-}" != true ] || sudo -n true 2>/dev/null; }; then
		sudo "$@"
	else
		die "this needs root and there is no sudo: run as root: $*"
	fi
}

# Is any of the files $2... newer than $1, or is $1 not there?
outdated() {
	local out=$1 in
	shift
	for in; do
		if [ ! -e "$out" ] || [ "$in" -nt "$out" ]; then return 0; fi
	done
	return 1
}

# The shared libraries (and the loader) of the program $1; nothing for a static one or a script.
libraries_of() {
	{ ldd "$1" 2>/dev/null || true; } | sed -n 's|^[^/]*\(/[^ ]*\) (0x.*|\1|p'
}

is_elf() { [ "$(head -c 4 "$1" | tr -d '\0')" = $'\177ELF' ]; }

# pack FOLDER <LIST >ARCHIVE: a cpio archive of the paths in LIST (one per line), which are taken from below FOLDER.
# Links are followed, so a file is packed under the name it was asked for by; parent folders are added.
pack() {
	sed 's|^/*||' | awk '{
		n = split($0, part, "/"); path = ""
		for (i = 1; i <= n; i++) {
			path = path (i > 1 ? "/" : "") part[i]
			if (path != "" && !seen[path]++) print path
		}
	}' | cpio --quiet --create --dereference --format=newc --owner=0:0 --directory="$1"
}
