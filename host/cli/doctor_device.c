// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/doctor.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_GROUPS 256

struct names {
	char user[33];  /* who runs us */
	char owner[33]; /* of the device */
	char group[33];
};

static void copy_name(char *to, size_t size, const char *name, unsigned int id)
{
	if (name)
		snprintf(to, size, "%s", name);
	else
		snprintf(to, size, "%u", id);
}

static void look_up(const struct kvm_facts *facts, struct names *names)
{
	const struct passwd *pw = getpwuid(geteuid());
	const struct group *gr;

	copy_name(names->user, sizeof(names->user), pw ? pw->pw_name : NULL, geteuid());
	pw = getpwuid(facts->uid);
	copy_name(names->owner, sizeof(names->owner), pw ? pw->pw_name : NULL, facts->uid);
	gr = getgrgid(facts->gid);
	copy_name(names->group, sizeof(names->group), gr ? gr->gr_name : NULL, facts->gid);
}

static void mode_text(const struct kvm_facts *facts, const struct names *names, char *text,
		      size_t size)
{
	char bits[] = "-rwxrwxrwx";

	if (S_ISCHR(facts->mode))
		bits[0] = 'c';
	else if (S_ISDIR(facts->mode))
		bits[0] = 'd';
	for (int i = 0; i < 9; i++)
		if (!(facts->mode & (0400 >> i)))
			bits[1 + i] = '-';
	snprintf(text, size, "%s %s:%s", bits, names->owner, names->group);
}

/* Has this process the group now? Is the user entered in it, for the next login? */
static bool session_in_group(gid_t gid)
{
	gid_t groups[MAX_GROUPS];
	int n = getgroups(MAX_GROUPS, groups);

	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return getegid() == gid;
}

static bool user_in_group(const char *user, gid_t gid)
{
	gid_t groups[MAX_GROUPS];
	int n = MAX_GROUPS;

	if (getgrouplist(user, gid == 0 ? 1 : 0, groups, &n) < 0)
		n = MAX_GROUPS;
	/* The group given as base comes first, whether the user is in it or not. */
	for (int i = 1; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static void missing(const struct kvm_facts *facts, struct doctor_device *device)
{
	const char *module = facts->cpu_vmx ? "kvm-intel" : "kvm-amd";
	const char *setting = facts->cpu_vmx ? "Intel VT-x" : "AMD SVM";

	device->word = "missing";
	snprintf(device->state, sizeof(device->state), "missing: %s", strerror(facts->error));
	if (facts->cpu_vmx || facts->cpu_svm)
		snprintf(device->remedy, sizeof(device->remedy),
			 "Load the driver: sudo modprobe %s\n"
			 "If that fails, turn on %s in the firmware setup of this machine.\n"
			 "In a container, pass the device in (docker run --device /dev/kvm).",
			 module, setting);
	else if (facts->cpu_virtual)
		snprintf(
			device->remedy, sizeof(device->remedy),
			"This machine is itself virtual and its CPU shows neither VT-x nor AMD-V: turn on\n"
			"nested virtualisation where it is hosted, then: sudo modprobe kvm-intel (or kvm-amd)\n"
			"In a container, pass the device in (docker run --device /dev/kvm).");
	else
		snprintf(
			device->remedy, sizeof(device->remedy),
			"The CPU shows neither VT-x nor AMD-V: turn on virtualisation (VT-x, SVM mode) in the\n"
			"firmware setup, then: sudo modprobe kvm-intel (or kvm-amd)");
}

static void denied(const struct kvm_facts *facts, const struct names *names,
		   struct doctor_device *device)
{
	const char *path = facts->path, *user = names->user, *group = names->group;
	bool by_group = facts->gid != 0 && (facts->mode & 060) == 060;

	device->word = "denied";
	snprintf(device->state, sizeof(device->state), "not permitted for user %s: %s", user,
		 strerror(facts->error));
	if (by_group && session_in_group(facts->gid))
		snprintf(
			device->remedy, sizeof(device->remedy),
			"The permissions would do, so something else forbids it: a container's device list,\n"
			"AppArmor, SELinux or an ACL. See: getfacl %s; sudo dmesg",
			path);
	else if (by_group && user_in_group(user, facts->gid))
		snprintf(
			device->remedy, sizeof(device->remedy),
			"%s is in group %s, but this session began before that. Log in anew, or: newgrp %s",
			user, group, group);
	else if (by_group)
		snprintf(device->remedy, sizeof(device->remedy),
			 "Enter %s in group %s, then log in anew: sudo usermod -aG %s %s", user,
			 group, group, user);
	else if (facts->exists)
		snprintf(
			device->remedy, sizeof(device->remedy),
			"Group %s has no way in. Give the device to group kvm, enter %s there and log in anew:\n"
			"sudo chown root:kvm %s && sudo chmod 0660 %s && sudo usermod -aG kvm %s\n"
			"(no group kvm yet: sudo groupadd --system kvm). Only for now: sudo setfacl -m u:%s:rw %s",
			group, user, path, path, user, user, path);
	else
		snprintf(device->remedy, sizeof(device->remedy),
			 "A directory on the way to %s is closed to %s.", path, user);
}

static void not_kvm(const struct kvm_facts *facts, struct doctor_device *device)
{
	device->word = "not-kvm";
	snprintf(device->state, sizeof(device->state), "not a KVM device");
	snprintf(device->remedy, sizeof(device->remedy),
		 S_ISCHR(facts->mode)
			 ? "The device of KVM is normally /dev/kvm; give that with --device."
			 : "It is no character device. Remove it and load kvm-intel or kvm-amd\n"
			   "again, or give another path with --device.");
}

static void no_vm(const struct kvm_facts *facts, struct doctor_device *device)
{
	device->word = "no-vm";
	snprintf(device->state, sizeof(device->state), "KVM cannot make a virtual machine: %s",
		 strerror(facts->error));
	snprintf(
		device->remedy, sizeof(device->remedy), "%s",
		facts->error == ENOMEM
			? "Free some memory, or raise this session's limit (ulimit -v, the control group)."
			: "See what the kernel says of it: sudo dmesg | grep -i kvm");
}

void doctor_device(const struct kvm_facts *facts, struct doctor_device *device)
{
	struct names names;

	*device = (struct doctor_device){.word = "error"};
	look_up(facts, &names);
	if (facts->exists)
		mode_text(facts, &names, device->mode, sizeof(device->mode));

	switch (facts->device) {
	case KVM_DEVICE_OK:
		device->word = "ok";
		snprintf(device->state, sizeof(device->state), "usable, KVM API version %d",
			 facts->api_version);
		break;
	case KVM_DEVICE_MISSING:
		missing(facts, device);
		break;
	case KVM_DEVICE_DENIED:
		denied(facts, &names, device);
		break;
	case KVM_DEVICE_NOT_KVM:
		not_kvm(facts, device);
		break;
	case KVM_DEVICE_NO_VM:
		no_vm(facts, device);
		break;
	case KVM_DEVICE_BUSY:
		device->word = "busy";
		snprintf(device->state, sizeof(device->state), "busy: %s", strerror(facts->error));
		snprintf(
			device->remedy, sizeof(device->remedy),
			"Another hypervisor holds the CPU's virtualisation: end the guests of VirtualBox,\n"
			"VMware or the like and unload its driver (e.g. sudo modprobe -r vboxdrv).");
		break;
	case KVM_DEVICE_VERSION:
		device->word = "wrong-version";
		snprintf(device->state, sizeof(device->state),
			 "KVM API version %d, where 12 is needed", facts->api_version);
		snprintf(device->remedy, sizeof(device->remedy),
			 "Use a host kernel of Linux 5.10 or newer.");
		break;
	case KVM_DEVICE_ERROR:
		snprintf(device->state, sizeof(device->state), "cannot be opened: %s",
			 strerror(facts->error));
		snprintf(device->remedy, sizeof(device->remedy),
			 "See what the kernel says of it: sudo dmesg | grep -i kvm");
		break;
	}
}
