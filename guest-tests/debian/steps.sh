# shellcheck shell=sh disable=SC2154,SC2034,SC2016,SC2317
# SPDX-License-Identifier: BSD-2-Clause
#
# What is tried, for in-bed, whose functions and variables these use. A step that leaves no guest for the others says so
# by lost=yes. With all steps the guest boots three times: from the raw disk, after `xenolith reboot`, and, after its
# process was killed, from the same disk below a qcow2 image, a PVH guest by GRUB.

# steps_for ACCEL [all]: the names, in this order. All of them take minutes, so that is for PVH guests by the faster way of
# interception; by the other one, and as a PV guest, it lives and works as well.
steps_for() {
	case $1:${2:-} in
	stock:) echo boot login fetch commands shutdown ;;
	pv:) echo grub-pv boot login fetch commands hotplug exercise shutdown ;;
	pv:*) echo grub-pv boot login fetch store commands hotplug balloon exercise reboot durable again qcow2 durable-raw durable-qcow2 shutdown ;;
	*) echo boot login fetch store commands hotplug balloon reboot durable grub qcow2 durable-raw durable-qcow2 shutdown ;;
	esac
}

# In Linux's words.
kind_of_guest() {
	case $accel in
	pv) echo PV ;;
	*) echo PVH ;;
	esac
}

# GRUB as a PV guest, and from its menu a PV kernel, which powers off when it has come to its userspace.
step_grub_pv() {
	pv_config >"$work/grub.cfg"
	mark
	attach "$xenolith" create -c "$work/grub.cfg"
	expect 'GNU GRUB' 60 && expect 'Linux from this disk' 30 && type_in '' &&
		expect 'Hypervisor detected: Xen PV' 120 && expect 'xenolith-guest: userspace is up' 120 &&
		eventually 60 gone grub && return
	"$xenolith" destroy grub
	return 1
}

# From guest.cfg to the login prompt.
step_boot() {
	lost=yes
	attach "$xenolith" create -c "$work/guest.cfg"
	if ! await_login; then
		look_at_guest
		return 1
	fi
	lost=no
}

step_login() {
	lost=yes
	log_in || return
	lost=no
	same 'CPUs' "$(guest nproc)" 2 || return
	same 'the kernel' "$(guest 'uname -r | cut -d . -f 1,2')" "$release" || return
	same 'the root disk' "$(guest 'findmnt -n -o SOURCE /')" /dev/xvda1 || return
	same 'the hypervisor' "$(guest systemd-detect-virt)" xen || return
	same 'the kind of guest' "$(guest 'cat /sys/hypervisor/guest_type; dmesg | grep -c -E "Hypervisor detected: Xen [HP]VM?$|Booting .*kernel on Xen( PVH?)?$"')" "$(printf '%s\n2' "$(kind_of_guest)")" || return
	same 'the system' "$(guest '. /etc/os-release && echo $PRETTY_NAME')" 'Debian GNU/Linux 12 (bookworm)' || return
	same 'units that failed' "$(guest 'systemctl is-system-running --wait; systemctl --failed --plain --no-legend' 90)" running
}

# address_comes INTERFACE: by DHCP, within a minute, and with it a way out. If not, what both sides know of it: whether it is
# the network that waits, or the guest, for an event or for its timers.
address_comes() {
	guest "timeout 60 sh -c 'until ip -4 route show default dev $1 | grep -q via; do sleep 1; done'" 70 && return
	look_at_guest
	"$xenolith" network-list debian
	pidof passt || echo "there is no passt"
	guest 'cat /proc/uptime; ip -s address; networkctl --no-pager; cat /proc/interrupts
		journalctl -b --no-pager -u systemd-networkd -u systemd-udevd | tail -n 40
		for p in $(pgrep udev); do cat /proc/$p/stack; done' 90
	why="$1 has got no address by DHCP"
	return 1
}

# What apt-get would do: DHCP, then a file over HTTP from a server on the host's loopback.
step_fetch() {
	address_comes enX0 || return
	guest 'wget -q -O /root/file http://$(ip -4 route show default | cut -d " " -f 3):8642/file' 60 || {
		why='wget failed in the guest'
		return 1
	}
	same 'the sum of the file' "$(guest 'sha256sum </root/file')" "$(sha256sum <"$work/www/file")" || return
	guest 'rm /root/file'
}

# Debian's own tools at the guest's store.
step_store() {
	home=/local/domain/$(domid)
	check store ls "$home" || return
	same 'the name' "$(store read "$home/name")" debian || return
	same 'its disks' "$(store list "$home/device/vbd" | tr '\n' ' ')" '51712 51728 51744 ' || return
	check store exists "$home/memory/target" || return
	if store exists "$home/nothing"; then why='what is not there exists' && return 1; fi
	check store write /tests/greeting hello || return
	if guest 'xenstore-read /tests/greeting'; then why='the guest reads what is not its own' && return 1; fi
	check store chmod /tests/greeting n0 "r$(domid)" || return
	same 'what the guest reads' "$(guest 'xenstore-read /tests/greeting')" hello || return
	XENSTORED_PATH=$XENOLITH_RUN_DIR/$(domid)/xenstored timeout 60 xenstore-watch -n 2 "$home/data" >"$work/watched" &
	watch=$!
	eventually 10 test -s "$work/watched" || return # a watch says so at first
	guest 'xenstore-write data/answer 42' || return
	wait $watch || { why='no watch fired' && return 1; }
	same 'what was watched' "$(tail -n 1 "$work/watched")" "$home/data/answer" || return
	same 'what the guest wrote' "$(store read "$home/data/answer")" 42 || return
	check store rm /tests || return
	if store exists /tests/greeting; then why='what is removed exists' && return 1; fi
}

step_commands() {
	"$xenolith" list
	same 'the columns' "$("$xenolith" list | head -n 1 | tr -s ' \t' ' ')" 'Name ID Mem VCPUs State Time(s)' || return
	same 'xl list' "$("$work/xl" list | awk '$1 == "debian" { print $2, $3, $4 }')" "$(domid) 512 2" || return
	same 'the name' "$("$xenolith" domname "$(domid)")" debian || return
	check "$xenolith" pause debian || return
	same 'the state' "$("$xenolith" list debian | awk 'NR == 2 { print substr($5, 3, 1) }')" p || return
	mark
	type_in 'echo "after the"" pause"'
	if expect '^after the pause' 2; then why='a paused guest runs' && return 1; fi
	check "$xenolith" unpause debian || return
	expect '^after the pause' 30 || return
	same 'vCPUs' "$("$xenolith" vcpu-list debian | awk '$1 == "debian"' | wc -l)" 2 || return
	check "$xenolith" vcpu-set debian 1 || return
	guest 'for i in $(seq 20); do [ $(nproc) = 2 ] || break; sleep 1; done'
	same 'CPUs' "$(guest nproc)" 1 || return
	# A CPU that is there again is for the guest's user to switch on, as on Xen. A bed has fewer than that, which counts
	# where vCPUs really go down: in PV guests.
	check "$xenolith" vcpu-set -i debian 2 || return
	guest 'for i in $(seq 20); do echo 1 >/sys/devices/system/cpu/cpu1/online && break; sleep 1; done 2>/dev/null'
	same 'CPUs' "$(guest nproc)" 2 || return
	check "$xenolith" sysrq debian h || return
	guest 'for i in $(seq 20); do dmesg | grep -q "sysrq: HELP" && break; sleep 1; done'
	same 'sysrq' "$(guest 'dmesg | grep -c "sysrq: HELP"')" 1 || return
	"$xenolith" uptime && "$xenolith" info && "$xenolith" block-list debian && "$xenolith" network-list debian &&
		"$xenolith" dmesg >/dev/null && "$xenolith" info virt_caps
}

# A disk and a network card come and go while the guest runs.
step_hotplug() {
	disk_comes_and_goes && card_comes_and_goes
}

disk_comes_and_goes() {
	check "$xenolith" block-attach debian "$work/more.raw,raw,xvdd,w" || return
	guest 'for i in $(seq 20); do [ ! -b /dev/xvdd ] || break; sleep 1; done'
	same 'its size' "$(guest 'cat /sys/block/xvdd/size')" $((64 << 11)) || return
	same 'what is written there' "$(guest 'echo plugged | dd of=/dev/xvdd conv=sync,fsync status=none && head -n 1 /dev/xvdd')" plugged || return
	same 'what is in its file' "$(head -n 1 "$work/more.raw" | head -c 7)" plugged || return
	truncate -s 80M "$work/more.raw"
	check "$xenolith" block-resize debian xvdd || return
	guest 'for i in $(seq 20); do [ "$(cat /sys/block/xvdd/size)" = 131072 ] || break; sleep 1; done'
	same 'its new size' "$(guest 'cat /sys/block/xvdd/size')" $((80 << 11)) || return
	check "$xenolith" block-detach debian xvdd || return
	guest 'for i in $(seq 20); do [ -b /dev/xvdd ] || break; sleep 1; done'
	guest '[ ! -e /sys/block/xvdd ]' || { why='xvdd is still there' && return 1; }
}

# The guest asks for its address by DHCP.
card_comes_and_goes() {
	check "$xenolith" network-attach debian mac=00:16:3e:00:00:17 || return
	address_comes enX1 || return
	same 'its MAC' "$(guest 'cat /sys/class/net/enX1/address')" 00:16:3e:00:00:17 || return
	same 'what has an address' "$(guest 'ip -4 -o address show enX1 | grep -c inet')" 1 || return
	same 'the list' "$("$xenolith" network-list debian | awk 'NR == 3 { print $1, $3 }')" '1 00:16:3e:00:00:17' || return
	check "$xenolith" network-detach debian 00:16:3e:00:00:17 || return
	guest 'for i in $(seq 20); do [ -e /sys/class/net/enX1 ] || break; sleep 1; done'
	guest '[ ! -e /sys/class/net/enX1 ]' || { why='enX1 is still there' && return 1; }
}

mem_total() { guest "awk '/^MemTotal/ { print int(\$2 / 1024) }' /proc/meminfo"; }

# memory_becomes MIB LOW HIGH: after `mem-set`, the guest has so much, and goes on having it: it moves in steps.
memory_becomes() {
	check "$xenolith" mem-set debian "$1" || return
	total=0
	for _ in $(seq 30); do
		before=$total
		total=$(mem_total) || return
		[ "$total" != "$before" ] || [ "$total" -lt "$2" ] || [ "$total" -gt "$3" ] || return 0
		sleep 1
	done
	why="after mem-set $1 the guest has $total MiB, not $2 to $3"
	return 1
}

# Down and up while the guest works and checks its work. Its page cache has had all of its memory before.
step_balloon() {
	first=$(mem_total) || return
	guest 'head -c 350M /dev/zero >/root/zeros; sync; head -c 8M /dev/urandom >/root/load' 90 || return
	guest '(cd /root; while [ -e load ]; do cp load copy; sha256sum <copy >>sums; done 2>/dev/null) & sleep 1' || return
	full=$(resident_kib)
	memory_becomes 384 $((first - 148)) $((first - 108)) || return
	low=$(resident_kib)
	memory_becomes 640 $((first + 108)) $((first + 148)) || return
	echo "resident: $full KiB, then $low KiB"
	guest 'mv /root/load /root/loaded; wait; tail -n 2 /root/sums' 60
	same 'sums' "$(guest 'sha256sum </root/loaded; sort /root/sums | uniq -c | wc -l')" "$(guest 'head -n 1 /root/sums; echo 1')" || return
	guest 'rm /root/*'
	[ $((full - low)) -gt 92160 ] && return
	why="the host has not got the memory back: $full KiB resident, then $low KiB"
	return 1
}

# A compiler, and loads of all kinds.
step_exercise() {
	guest "exercise 2 $seconds" $((120 + 8 * seconds)) && return
	why='not all went well in exercise'
	return 1
}

# Another life, with Debian's own client at the console.
step_reboot() {
	before=$(guest 'cat /proc/sys/kernel/random/boot_id')
	mark
	check "$xenolith" reboot debian || return
	expect 'reboot: Restarting system' 60 || return
	lost=yes
	eventually 30 domid || return
	attach env XENSTORED_PATH="$XENOLITH_RUN_DIR/$(domid)/xenstored" "$xenconsole" --type pv "$(domid)"
	await_login && log_in || return
	lost=no
	after=$(guest 'cat /proc/sys/kernel/random/boot_id') || return
	[ "$before" != "$after" ] || { why='it is the same boot' && return 1; }
}

# promised DISK [PASSES]: "MIB PASS" of the last promise.
promised() { tr -d '\r' <"$work/console" | sed -n "s|^durable: /dev/$1: pass \([0-9]*\): \([0-9]*\) MiB promised\$|\2 \1|p" | tail -n 1; }

# Each disk is full at least once, then the guest's process dies at some moment.
step_durable() {
	mark
	type_in "durable write /dev/xvdb $data_mib & durable write /dev/xvdc $data_mib &"
	expect 'xvdb: pass 2: [0-9]* MiB promised' 120 && expect 'xvdc: pass 2: [0-9]* MiB promised' 120 || return
	kill -9 "$(pid_of_guest)" || return
	detach
	echo "promised: raw $(promised xvdb), qcow2 $(promised xvdc)"
	eventually 10 gone && eventually 10 no_helpers
}

# On from where the kill left the disks, of which the first is now below an image.
config_qcow2() {
	qemu-img create -q -f qcow2 -b "$disk" -F raw "$work/root.qcow2" || return
	config "qcow2:$work/root.qcow2" >"$work/guest.cfg"
}

again() {
	lost=yes
	attach "$xenolith" create -c "$work/guest.cfg"
	await_login && log_in && lost=no
}

# The kernel comes from the disk, by GRUB's PVH image and its menu.
step_grub() {
	config_qcow2 || return
	sed 's|^kernel = .*|bootloader = "pygrub"|; /^ramdisk/d; /^extra/d' "$work/guest.cfg" >"$work/grub.cfg"
	mark
	check "$xenolith" create "$work/grub.cfg" && attach "$xenolith" console debian
	if expect 'GNU GRUB' 60 && expect 'Debian 12 from the disk' 30; then
		type_in ''
		await_login && log_in && return # GRUB reads slowly
	fi
	# The steps to come are not about GRUB.
	because=$why
	"$xenolith" destroy debian
	again
	why=$because
	return 1
}

# The same without GRUB.
step_again() { config_qcow2 && again; }

step_qcow2() {
	same 'the root disk' "$(guest 'findmnt -n -o SOURCE /')" /dev/xvda1 || return
	same 'the format' "$("$xenolith" list --json | sed -n 's|.*"\(qcow2\)".*|\1|p' | head -n 1)" qcow2 || return
	check pidof qemu-nbd || return
	guest 'echo written >/written && sync && echo 3 >/proc/sys/vm/drop_caches && grep -x written /written'
}

# verify_data DISK: what was promised, and of the pass before that all.
verify_data() {
	last=$(promised "$1")
	guest "durable verify /dev/$1 $last && durable verify /dev/$1 $data_mib $((${last#* } - 1))" 120 && return
	why="not all that was promised on $1 is there"
	return 1
}

step_durable_raw() { verify_data xvdb; }
step_durable_qcow2() { verify_data xvdc; }

step_shutdown() {
	process=$(pid_of_guest)
	mark
	check timeout 200 "$xenolith" shutdown -w debian || return
	# What a PV kernel says that has nothing to switch power off by.
	expect 'reboot: (Power down|.*System halted)' 30 || return
	ended() { [ ! -e "/proc/$process" ]; }
	eventually 10 ended || return
	same 'what is left of it' "$(find "$XENOLITH_RUN_DIR" -mindepth 1 ! -name lock)" ''
}
