// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who are you, and what can you do?
 *
 * A guest finds Xen by CPUID: a signature somewhere from leaf 0x40000000 on, the version, the MSR
 * for the hypercall page, the time leaf with its three sub-leaves, and the leaf of HVM features.
 * Then it asks XENVER_*: the version must be the one CPUID gave, texts must end inside their
 * buffers, and a domain without privilege learns neither the hypervisor's command line nor its
 * build id (xen/version.h, xsm/dummy.h's rule). Features (xen/features.h) must hold those a
 * translated guest relies on and none that only a PV guest or dom0 may see.
 *
 * The sub-leaves of the time leaf once were one leaf in a well-known emulation: the clock's mul and
 * shift then appeared as features of sub-leaf 0. So the leaf is read again after the clock ran.
 */
#include "guest-tests/lib/test.h"

const char test_title[] = "CPUID leaves, XENVER_* and features";

static uint32_t base;

static void signature(void)
{
	uint32_t last = cpuid(base, 0).eax;

	CHECK(cpuid(1, 0).ecx & 1U << 31, "CPUID.1 does not say that there is a hypervisor");
	CHECK(last >= base + 4 && last <= base + 5, "last leaf %#x of base %#x", last, base);
}

static void version(void)
{
	struct cpuid one = cpuid(base + 1, 0), two = cpuid(base + 2, 0);
	long v = hypercall_xen_version(XENVER_version, NULL);

	CHECK(one.eax >> 16 >= 4 && one.eax >> 16 < 100, "version %#x", one.eax);
	CHECK_EQ(v, one.eax);
	CHECK_EQ(two.eax, 1);
	if (base == 0x40000000)
		CHECK_EQ(two.ebx, 0x40000000);
	CHECK_EQ(two.ecx, 0);
	CHECK_EQ(two.edx, 0);
}

static void time_leaf(void)
{
	struct cpuid features = cpuid(base + 3, 0), scale = cpuid(base + 3, 1);
	struct cpuid host = cpuid(base + 3, 2), past = cpuid(base + 3, 3);
	uint64_t second = clock_scale(features.ecx * 1000ULL, scale.ecx, (int8_t)scale.edx);

	CHECK(!(features.eax & ~7U), "time leaf 0: unknown flags %#x", features.eax);
	CHECK(features.ebx <= 3, "time leaf 0: tsc mode %u", features.ebx);
	CHECK(features.ecx > 10000, "time leaf 0: guest TSC of %u kHz", features.ecx);
	CHECK(second > 990000000 && second < 1010000000,
	      "time leaf 1: %u kHz scaled by mul %#x shift %d makes a second of %llu ns",
	      features.ecx, scale.ecx, (int)scale.edx, (unsigned long long)second);
	CHECK(host.eax > 10000 && !host.ebx && !host.ecx && !host.edx,
	      "time leaf 2: %u kHz, %#x %#x %#x", host.eax, host.ebx, host.ecx, host.edx);
	CHECK(!past.eax && !past.ebx && !past.ecx && !past.edx, "time leaf 3: %#x %#x %#x %#x",
	      past.eax, past.ebx, past.ecx, past.edx);
}

static void time_leaf_after_clock_updates(void)
{
	struct cpuid before = cpuid(base + 3, 0), after;

	clock_now();
	after = cpuid(base + 3, 0);
	CHECK(before.eax == after.eax && before.ebx == after.ebx && before.ecx == after.ecx &&
		      before.edx == after.edx,
	      "time leaf 0 changed: %#x %#x %#x %#x to %#x %#x %#x %#x", before.eax, before.ebx,
	      before.ecx, before.edx, after.eax, after.ebx, after.ecx, after.edx);
}

static void hvm_leaf(void)
{
	struct cpuid l = cpuid(base + 4, 0), other = cpuid(base + 4, 1);

	CHECK(l.eax & XEN_HVM_CPUID_VCPU_ID_PRESENT, "HVM leaf: no vCPU id, flags %#x", l.eax);
	CHECK_EQ(l.ebx, 0);
	if (l.eax & XEN_HVM_CPUID_DOMID_PRESENT)
		CHECK(l.ecx && l.ecx < DOMID_FIRST_RESERVED, "HVM leaf: domain id %u", l.ecx);
	CHECK(l.eax & XEN_HVM_CPUID_UPCALL_VECTOR, "HVM leaf: no upcall vector, flags %#x", l.eax);
	CHECK(!other.eax && !other.ebx && !other.ecx && !other.edx, "HVM leaf 1: %#x %#x %#x %#x",
	      other.eax, other.ebx, other.ecx, other.edx);
}

static bool ends_inside(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (!text[i])
			return true;
	return false;
}

static void texts(void)
{
	static xen_extraversion_t extra;
	static struct xen_compile_info info;
	static xen_capabilities_info_t caps;
	static xen_changeset_info_t changeset;

	memset(&extra, 'x', sizeof(extra));
	memset(&info, 'x', sizeof(info));
	memset(&caps, 'x', sizeof(caps));
	memset(&changeset, 'x', sizeof(changeset));
	CHECK_EQ(hypercall_xen_version(XENVER_extraversion, &extra), 0);
	CHECK(ends_inside(extra, sizeof(extra)) && extra[0] != 'x', "extraversion not written");
	CHECK_EQ(hypercall_xen_version(XENVER_compile_info, &info), 0);
	CHECK(ends_inside(info.compiler, sizeof(info.compiler)) &&
		      ends_inside(info.compile_by, sizeof(info.compile_by)) &&
		      ends_inside(info.compile_domain, sizeof(info.compile_domain)) &&
		      ends_inside(info.compile_date, sizeof(info.compile_date)),
	      "compile_info holds a text without end");
	CHECK_EQ(hypercall_xen_version(XENVER_capabilities, &caps), 0);
	CHECK(ends_inside(caps, sizeof(caps)) && strstr(caps, "hvm-3.0-x86_32p"),
	      "capabilities do not name this kind of guest");
	CHECK_EQ(hypercall_xen_version(XENVER_changeset, &changeset), 0);
	CHECK(ends_inside(changeset, sizeof(changeset)), "changeset without end");
}

static void values(void)
{
	struct xen_platform_parameters platform = {.virt_start = 1};
	xen_domain_handle_t uuid;

	CHECK_EQ(hypercall_xen_version(XENVER_platform_parameters, &platform), 0);
	CHECK(platform.virt_start != 1, "platform_parameters not written");
	CHECK_EQ(hypercall_xen_version(XENVER_pagesize, NULL), 4096);
	CHECK_EQ(hypercall_xen_version(XENVER_pagesize, &platform), -XEN_EINVAL);
	CHECK_EQ(hypercall_xen_version(XENVER_guest_handle, uuid), 0);
	CHECK_EQ(hypercall_xen_version(99, NULL), -XEN_ENOSYS);
}

static void privileged_values(void)
{
	static xen_commandline_t line;
	static uint8_t id[64];

	memset(&line, 'x', sizeof(line));
	CHECK_EQ(hypercall_xen_version(XENVER_commandline, &line), 0);
	CHECK(!strcmp(line, "<denied>"), "the command line is not denied");
	CHECK_EQ(hypercall_xen_version(XENVER_build_id, id), -XEN_EPERM);
}

static void features(void)
{
	static const unsigned int wanted[] = {
		XENFEAT_writable_page_tables,      XENFEAT_auto_translated_physmap,
		XENFEAT_hvm_callback_vector,       XENFEAT_hvm_safe_pvclock,
		XENFEAT_memory_op_vnode_supported, XENFEAT_not_direct_mapped,
	};
	static const unsigned int not_ours[] = {
		XENFEAT_pae_pgdir_above_4gb,
		XENFEAT_mmu_pt_update_preserve_ad,
		XENFEAT_highmem_assist,
		XENFEAT_gnttab_map_avail_bits,
		XENFEAT_dom0,
		XENFEAT_direct_mapped,
	};
	struct xen_feature_info info = {.submap_idx = 0};

	CHECK_EQ(hypercall_xen_version(XENVER_get_features, &info), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(wanted); i++)
		CHECK(info.submap & 1U << wanted[i], "feature %u is missing from %#x", wanted[i],
		      info.submap);
	for (unsigned int i = 0; i < ARRAY_SIZE(not_ours); i++)
		CHECK(!(info.submap & 1U << not_ours[i]), "feature %u should not be in %#x",
		      not_ours[i], info.submap);
	info.submap_idx = 1;
	CHECK_EQ(hypercall_xen_version(XENVER_get_features, &info), -XEN_EINVAL);
}

void test_main(void)
{
	base = xen_cpuid_base();
	signature();
	version();
	time_leaf();
	hvm_leaf();
	texts();
	values();
	privileged_values();
	features();
	time_leaf_after_clock_updates();
	test_success();
}
