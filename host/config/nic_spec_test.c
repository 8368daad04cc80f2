// SPDX-License-Identifier: BSD-2-Clause
/* Network specifications; rates against libxlutil, Xen's own parser of them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>
#include <string.h>

#include "host/config/nic_rate.h"
#include "host/config/nic_spec.h"
#include "shim/types.h"

static FILE *nowhere;
static struct problem p;

static bool check_rate(const char *text)
{
	XLU_Config *xlu = xlu_cfg_init(nowhere, "test");
	libxl_device_nic theirs;
	uint32_t interval;
	uint64_t bytes;
	int us, them;

	libxl_device_nic_init(&theirs);
	them = xlu_vif_parse_rate(xlu, text, &theirs);
	us = nic_rate_parse(text, &bytes, &interval);
	if (!us != !them)
		fail_msg("'%s': libxlutil %s it, we do not", text, them ? "refuses" : "takes");
	if (!us &&
	    (bytes != theirs.rate_bytes_per_interval || interval != theirs.rate_interval_usecs))
		fail_msg("'%s': %llu bytes in %u us", text, (unsigned long long)bytes, interval);
	libxl_device_nic_dispose(&theirs);
	xlu_cfg_destroy(xlu);
	return !us;
}

static void rates(void **state)
{
	static const char *const good[] = {
		"16000000b/s", "16000000b/s@50ms", "2000000B/s", "16Kb/s",   "2KB/s@50ms",
		"16Mb/s",      "2MB/s@50ms",       "8Gb/s",      "1GB/s",    "80Mb/s@1s",
		"10MB/s@1",    "10MB/s@20000us",   "10MB/s@5u",  "1GB/s@7m", "010MB/s",
	};
	static const char *const bad[] = {
		"",
		"foo",
		"10MB",
		"10MB/m",
		"10ZB/s",
		"4294967296b/s",
		"0B/s",
		"10Mb/s@foo",
		"10Mb/s@10h",
		"1B/s@4294967296us",
		"1B/s@4294968ms",
		"1B/s@4295s",
		"1B/s@0us",
		"4294967295GB/s@5us",
		"@",
		"10Mb/s@",
		"10Mb/s@1s ",
		"-1B/s",
		"10Mb/s@-1s",
		" 10Mb/s",
		"0x10MB/s",
		"MB/s",
	};

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(check_rate(good[i]));
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(check_rate(bad[i]));
}

/* Here libxlutil says 0 bytes, which a backend takes for no limit. */
static void a_rate_too_small_to_count(void **state)
{
	uint32_t interval;
	uint64_t bytes;

	(void)state;
	assert_int_equal(nic_rate_parse("1b/s", &bytes, &interval), -1);
}

static struct nic_config parsed(const char *spec)
{
	struct nic_config nic;

	if (nic_spec_parse(&spec, 1, &nic, NULL, &p))
		fail_msg("'%s': %s", spec, p.text);
	return nic;
}

static void refused(const char *spec, const char *reason)
{
	struct nic_config nic;

	assert_int_equal(nic_spec_parse(&spec, 1, &nic, NULL, &p), -1);
	if (!strstr(p.text, reason))
		fail_msg("'%s': %s", spec, p.text);
	nic_config_free(&nic);
}

static void keys(void **state)
{
	struct nic_config nic = parsed(" mac=00:16:3e:01:2:FF , bridge=br0,ip=10.0.0.1 10.0.0.2,"
				       "mtu=1400,devid=3,rate=1MB/s@1s,model=e1000,type=vif,"
				       "backend=0,untrusted,netdev=eth0,");
	static const uint8_t mac[] = {0x00, 0x16, 0x3e, 0x01, 0x02, 0xff};

	(void)state;
	assert_memory_equal(nic.mac, mac, 6);
	assert_int_equal(nic.mode, NIC_BRIDGE);
	assert_string_equal(nic.bridge, "br0");
	assert_string_equal(nic.ip, "10.0.0.1 10.0.0.2");
	assert_int_equal(nic.mtu, 1400);
	assert_int_equal(nic.devid, 3);
	assert_int_equal(nic.rate_bps, 1000000);
	assert_int_equal(nic.rate_interval_us, 1000000);
	assert_string_equal(nic.gatewaydev, "eth0");
	nic_config_free(&nic);
}

static void networks(void **state)
{
	struct nic_config nic = parsed("");

	(void)state;
	assert_int_equal(nic.mode, NIC_USER);
	assert_int_equal(nic.devid, NIC_DEVID_NONE);
	nic_config_free(&nic);
	nic = parsed("vifname=tap3");
	assert_int_equal(nic.mode, NIC_TAP);
	nic_config_free(&nic);
	nic = parsed("vifname=tap3,bridge=br0");
	assert_int_equal(nic.mode, NIC_BRIDGE);
	assert_string_equal(nic.vifname, "tap3");
	nic_config_free(&nic);
}

static void forwards(void **state)
{
	struct nic_config nic = parsed(
		"forward=tcp/2222/22+udp/10.1.2.3:53/53,forward=[::1]:80/8080+fe80::1:81/8081");

	(void)state;
	assert_int_equal(nic.nr_forwards, 4);
	assert_false(nic.forwards[0].udp);
	assert_null(nic.forwards[0].host_address);
	assert_int_equal(nic.forwards[0].host_port, 2222);
	assert_int_equal(nic.forwards[0].guest_port, 22);
	assert_true(nic.forwards[1].udp);
	assert_string_equal(nic.forwards[1].host_address, "10.1.2.3");
	assert_false(nic.forwards[2].udp);
	assert_string_equal(nic.forwards[2].host_address, "::1");
	assert_int_equal(nic.forwards[2].host_port, 80);
	assert_string_equal(nic.forwards[3].host_address, "fe80::1");
	nic_config_free(&nic);
}

static void what_is_wrong(void **state)
{
	(void)state;
	refused("foo", "'foo' is not KEY=VALUE");
	refused("brigde=br0", "'brigde' is not a key");
	refused("=x", "'' is not a key");
	refused("mac=00:16:3e:01:02", "mac");
	refused("mac=00:16:3e:01:02:03:04", "mac");
	refused("mac=00:16:3e:01:02:123", "mac");
	refused("mac=00:00:00:00:00:00", "mac");
	refused("mac=ff:ff:ff:ff:ff:ff", "mac");
	refused("mac=", "mac");
	refused("mac=00:16:3e:01::3", "mac");
	refused("rate=fast", "rate 'fast'");
	refused("mtu=10", "mtu '10' is not a number from 68");
	refused("mtu=1e3", "mtu");
	refused("devid=-1", "devid");
	refused("type=virtio", "type 'virtio'");
	refused("backend=netvm", "driver domains such as 'netvm'");
	refused("forward=tcp/0/22", "forward");
	refused("forward=tcp/22", "forward");
	refused("forward=tcp/1.2.3:22/22", "forward");
	refused("forward=sctp/22/22", "forward");
	refused("forward=tcp/22/22/22", "forward");
	refused("forward=", "forward");
	refused("forward=22/65536", "forward");
	refused("forward=:22/22", "forward");
	refused("forward=[:22/22", "forward");
	refused("forward=22/22,vifname=t", "forward= is for the user-mode network");
}

static void random_macs(void **state)
{
	struct nic_config a = {0}, b = {0}, given = {.mac = {2, 0, 0, 0, 0, 1}};
	static const uint8_t xen[] = {0x00, 0x16, 0x3e};

	(void)state;
	assert_int_equal(nic_random_mac(&a, &p), 0);
	assert_int_equal(nic_random_mac(&b, &p), 0);
	assert_int_equal(nic_random_mac(&given, &p), 0);
	assert_memory_equal(a.mac, xen, 3);
	assert_memory_equal(b.mac, xen, 3);
	assert_memory_not_equal(a.mac, b.mac, 6);
	assert_int_equal(given.mac[0], 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates),       cmocka_unit_test(a_rate_too_small_to_count),
		cmocka_unit_test(keys),        cmocka_unit_test(networks),
		cmocka_unit_test(forwards),    cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(random_macs),
	};
	int failed;

	nowhere = fopen("/dev/null", "w");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	fclose(nowhere);
	return failed;
}
