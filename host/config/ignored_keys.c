// SPDX-License-Identifier: BSD-2-Clause
#include "host/config/ignored_keys.h"

#include <string.h>

#include "shim/types.h"

static const struct group {
	const char *reason;
	const char *keys; /* a space before and behind each */
} groups[] = {
	{"", " acpi acpi_s3 acpi_s4 apic bootloader_args claim_mode dm_restrict e820_host "
	     "hap init_seclabel keymap localtime nomigrate nx oos pae rdm "
	     "rtc_timeoffset shadow_memory timer_mode vpt_align xen_platform_pci "
	     "xend_suspend_evtchn_compat "},
	{"the guest is a process of this host: use taskset(1), nice(1) or its systemd unit",
	 " cap cpu_weight cpus cpus_soft extratime latency period pool slice "},
	{"there is one NUMA node", " vnuma "},
	{"there is no graphical console; 'xenolith console' shows the text one",
	 " display gfx_passthru nographic opengl sdl spice spice_clipboard_sharing "
	 "spice_image_compression spice_streaming_video spiceagent_mouse spicedisable_ticketing "
	 "spicehost spicepasswd spiceport spicetls_port spiceusbredirection spicevdagent stdvga "
	 "vfb vga videoram vkb vkb_device vnc vncdisplay vnclisten vncpasswd vncunused vncviewer "
	 "xauthority "},
	{"devices of the host are not passed through",
	 " dtdev iomem ioports irqs passthrough pci pci_msitranslate pci_permissive pci_power_mgmt "
	 "pci_seize rdm_mem_boundary usbctrl usbdev usbdevice "},
	{"there is no such device yet", " hpet p9 pvcalls serial soundhw usb usbversion "
					"vdispl vif2 vsnd vtpm vuart "},
	{"no QEMU or stub domain is used",
	 " device_model device_model_args device_model_args_hvm device_model_args_pv "
	 "device_model_override device_model_stubdomain_override "
	 "device_model_stubdomain_seclabel device_model_user device_model_version "
	 "stubdomain_cmdline stubdomain_kernel stubdomain_memory stubdomain_ramdisk "},
	{"there are no security labels: the guest runs as you, under seccomp", " seclabel "},
	{"there are no driver domains", " driver_domain "},
	{"PV guests need no shim here", " pvshim_cmdline pvshim_extra pvshim_path "},
	{"it is for the firmware of HVM guests only",
	 " acpi_firmware acpi_laptop_slate bios bios_path_override boot firmware_override hdtype "
	 "mmio_hole ms_vm_genid smbios_firmware vendor_device "},
	{"the guest sees the CPU as KVM offers it",
	 " altp2m altp2mhvm cpuid mca_caps msr_relaxed nestedhvm tsc_mode viridian "
	 "vmtrace_buf_kb vpmu "},
	{"it is for ARM", " device_tree gic_version sve tee "},
};

/* It asks for nothing, or for what is so by default. */
static bool asks_for_nothing(const struct config_value *v)
{
	static const char *const none[] = {"", "default", "none", "disabled", "native"};

	if (v->kind == VALUE_LIST)
		return !v->nr_items;
	for (unsigned i = 0; i < ARRAY_SIZE(none); i++)
		if (!strcmp(v->text, none[i]))
			return true;
	return !strcmp(v->text, "0");
}

static bool is_in(const char *keys, const char *name)
{
	const size_t length = strlen(name);

	for (const char *at = keys; (at = strstr(at, name)); at += length)
		if (at[-1] == ' ' && at[length] == ' ')
			return true;
	return false;
}

const char *ignored_key(const char *name, const struct config_value *value)
{
	for (unsigned i = 0; i < ARRAY_SIZE(groups); i++)
		if (is_in(groups[i].keys, name))
			return asks_for_nothing(value) ? "" : groups[i].reason;
	return NULL;
}
