#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# usage: guest-tests/make-new-test.sh NAME
#
# A new in-guest test (pv-NAME: of PV guests): its folder with a main.c that builds, its line in tests.list and its lines in
# build.ninja. What is left to do is written in main.c.
set -eu
cd "$(dirname "$0")"

name=${1:-}
case $name in
'' | *[!a-z0-9-]* | -*)
	echo "usage: $0 NAME (small letters, digits and -)" >&2
	exit 2
	;;
esac
if [ -e "tests/$name" ]; then
	echo "$0: tests/$name is there already: choose another name" >&2
	exit 1
fi

header=lib/test.h widths='32,64'
case $name in
pv-*) header=lib/pv/test.h widths='pv   ' ;;
esac

mkdir "tests/$name"
cat >"tests/$name/main.c" <<END
// SPDX-License-Identifier: BSD-2-Clause
/*
 * The story of this test: what a guest relies on, what went wrong or could, and where the rule
 * stands (a public header, a document, a function of Xen).
 */
#include "guest-tests/$header"

const char test_title[] = "$name: one line that says what is shown";

void test_main(void)
{
	test_error("nothing is tested yet");
}
END

# build.ninja: the kernels before the comment that ends them, the names after the last one of `all`.
awk -v name="$name" '
	name !~ /^pv-/ && /^# End of the kernels/ {
		for (w = 32; w <= 64; w += 32)
			printf "build $go/%s-%d: kernel%d guest-tests/tests/%s/main.c | $go/lib%d.a\n", name, w, w, name, w
	}
	name ~ /^pv-/ && /^# End of those of PV guests/ {
		printf "build $go/%s-pv: kernel_pv guest-tests/tests/%s/main.c $notes | $go/lib-pv.a\n", name, name
	}
	name ~ /^pv-/ && /^build \$go\/all: phony/ { print; printf "  $go/%s-pv $\n", name; next }
	{ print }
	/^build \$go\/all: phony/ { printf "  $go/%s-32 $\n  $go/%s-64 $\n", name, name }
' build.ninja >build.ninja.new
mv build.ninja.new build.ninja

printf '%-17s | %s | %-12s | 10 |  1 | %s\n' "$name" "$widths" - "one line that says what is shown" >>tests.list

echo "guest-tests/tests/$name/main.c: write the test, and its title there and in guest-tests/tests.list"
