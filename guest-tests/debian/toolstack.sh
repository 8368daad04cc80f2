# shellcheck shell=sh disable=SC2154,SC2034
# SPDX-License-Identifier: BSD-2-Clause
#
# The host's side of the guest, for in-bed, whose variables these use.

data_mib=256

# What the guest is given: disks for data, one in each format, and a file for it to fetch.
prepare() {
	mkdir -m 700 "$XENOLITH_RUN_DIR"
	mkdir "$work/www"
	dd if=/dev/urandom of="$work/www/file" bs=1M count=8 2>/dev/null
	truncate -s ${data_mib}M "$work/data.raw"
	truncate -s 64M "$work/more.raw"
	qemu-img create -q -f qcow2 "$work/data.qcow2" ${data_mib}M
	ln -s "$(realpath "$xenolith")" "$work/xl"
	case $bed in nested-*) bed_machine ;; esac
	busybox httpd -f -p 127.0.0.1:8642 -h "$work/www" &
	server=$!
	config "raw:$disk" >"$work/guest.cfg"
}

# A bed has a loopback only; user-mode networks want to see a way out, too, and xenconsole a place for its lock.
bed_machine() {
	mkdir -p /var/lock
	ip address add 192.0.2.2/24 dev dummy0
	ip link set dummy0 up
	ip route add default via 192.0.2.1
}

# config FORMAT:ROOT: guest.cfg with that root disk, as a user of xl would write it.
config() {
	type=pvh intercept=$accel
	[ "$accel" != pv ] || type=pv intercept=stock
	cat <<END
# Debian 12
type = "$type"
name = "debian"
kernel = "$kernel"
ramdisk = "$initrd"
extra = "root=LABEL=debian console=hvc0 quiet"
memory = 512
maxmem = 640
vcpus = 2
disk = [ '${1#*:},${1%%:*},xvda,w',
         '$work/data.raw,raw,xvdb,w',
         'format=qcow2, vdev=xvdc, access=rw, target=$work/data.qcow2' ]
vif = [ '' ]
on_poweroff = "destroy"
on_reboot = "restart"
xenolith_accel = "$intercept"
END
}

# The guest of step_grub_pv.
pv_config() {
	cat <<END
type = "pv"
name = "grub"
bootloader = "pygrub"
memory = 256
disk = [ '$small_disk,raw,xvda,r' ]
xenolith_accel = "$intercept"
END
}

xenconsole=/usr/lib/xen-4.17/bin/xenconsole

domid() { "$xenolith" domid debian; }

gone() { ! "$xenolith" domid "${1:-debian}" >/dev/null 2>&1; }
no_helpers() { ! pidof qemu-nbd; }

# The process of the guest.
pid_of_guest() { "$xenolith" list --json debian | sed -n 's/^.*"pid": *\([0-9]*\).*/\1/p' | head -n 1; }

# Twice, for what has changed: what the threads of the guest's process wait for, with their time on the CPU in ns, its timers,
# and its vCPUs.
look_at_guest() {
	process=/proc/$(pid_of_guest)
	for moment in first second; do
		echo "$moment look, at $(cut -d ' ' -f 1 /proc/uptime) s:"
		find "$process/task" -mindepth 1 -maxdepth 1 | while read -r thread; do
			echo "$(cat "$thread/comm") $(cat "$thread/wchan") $(cat "$thread/schedstat")"
		done
		grep -r -h -A 5 clockid "$process/fdinfo"
		"$xenolith" vcpu-list debian
		sleep 3
	done
}

resident_kib() { awk '$1 == "Rss:" { print $2 }' "/proc/$(pid_of_guest)/smaps_rollup"; }

# store TOOL ARGUMENT...: Debian's own xenstore-TOOL at the guest's store.
store() {
	tool=$1
	shift
	XENSTORED_PATH=$XENOLITH_RUN_DIR/$(domid)/xenstored "xenstore-$tool" "$@"
}

# check WORDS...: the command, and when it fails that is why the step does.
check() {
	"$@" && return
	why="failed: $*"
	return 1
}

# same WHAT A B
same() {
	[ "$2" != "$3" ] || return 0
	why="$1: \"$2\" and not \"$3\""
	return 1
}

# eventually SECONDS COMMAND...: it succeeds within that time.
eventually() {
	limit=$(($(now) + $1 * 100)) within=$1
	shift
	until "$@" >/dev/null 2>&1; do
		if [ "$(now)" -gt $limit ]; then
			why="not within $within s: $*"
			return 1
		fi
		sleep 0.5
	done
}
