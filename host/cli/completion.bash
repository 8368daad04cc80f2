# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion for bash: commands as `xenolith help` lists them, a command's options as its --help has them, guests by
# their names, and files where files belong.

_xenolith_commands() { "$1" help 2>/dev/null | sed -n 's/^  \{0,1\}\([a-z][a-z-]*\) .*/\1/p'; }
_xenolith_options() { "$1" "$2" --help 2>/dev/null | grep -oE -- '(^|[ ,])-(-[a-z-]+|[A-Za-z])' | tr -d ' ,'; }
_xenolith_guests() { "$1" list 2>/dev/null | awk 'NR > 1 { print $1 }'; }

_xenolith() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]-} words
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words=$(_xenolith_commands "$program")
	elif [[ $word == -* ]]; then
		words=$(_xenolith_options "$program" "$command")
	else
		case $command in
		help) words=$(_xenolith_commands "$program") ;;
		create | run | doctor | extract-kernel | info | version) return 0 ;; # files, by default
		*) words=$(_xenolith_guests "$program") ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -o default -F _xenolith xenolith
