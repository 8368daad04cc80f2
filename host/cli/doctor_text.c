// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/doctor.h"

#include <string.h>

#define TITLE_WIDTH 26

static void line(FILE *out, const char *title, const char *state)
{
	fprintf(out, "  %-*s %s\n", TITLE_WIDTH, title, state);
}

/* A remedy may have several lines; each is indented below its fact. */
static void remedy_lines(FILE *out, const char *remedy)
{
	while (*remedy) {
		size_t len = strcspn(remedy, "\n");

		fprintf(out, "      %.*s\n", (int)len, remedy);
		remedy += len + (remedy[len] == '\n');
	}
}

static void device_lines(FILE *out, const struct kvm_facts *facts)
{
	struct doctor_device device;
	char text[64];

	doctor_device(facts, &device);
	fprintf(out, "Host\n");
	line(out, facts->path, device.state);
	if (device.mode[0])
		line(out, "permissions", device.mode);
	remedy_lines(out, device.remedy);
	snprintf(text, sizeof(text), "%s%s%s", facts->cpu_virtual ? "virtual, " : "",
		 facts->cpu_vmx   ? "VT-x"
		 : facts->cpu_svm ? "AMD-V"
				  : "neither VT-x nor AMD-V",
		 facts->cpu_vmx || facts->cpu_svm ? "" : " shown");
	line(out, "CPU", text);
	if (facts->max_vcpus) {
		snprintf(text, sizeof(text), "%u", facts->max_vcpus);
		line(out, "vCPUs per guest, at most", text);
	}
}

static void speed_line(FILE *out, const char *title, double ns, double host)
{
	char text[96];

	if (ns <= 0)
		return;
	snprintf(text, sizeof(text), "%.2f ns", ns);
	if (host > 0)
		snprintf(text, sizeof(text), "%.2f ns, %.*f times the CPU's own %.2f ns", ns,
			 ns < 10 * host ? 1 : 0, ns / host, host);
	line(out, title, text);
}

static void speed_lines(FILE *out, const struct kvm_speed *speed)
{
	if (speed->unpaged <= 0 && speed->ring0 <= 0 && speed->ring3 <= 0)
		return;
	fprintf(out, "\nTime per guest instruction, measured\n");
	speed_line(out, "ring 0, paging off", speed->unpaged, speed->host);
	speed_line(out, "ring 0, long mode", speed->ring0, speed->host);
	speed_line(out, "ring 3, long mode", speed->ring3, speed->host);
}

/* Facts that fail for the same reason stand together: the remedy is said after the last of them. */
static void fact_lines(FILE *out, const struct kvm_facts *facts)
{
	const char *remedy = NULL;

	fprintf(out, "\nKVM\n");
	for (int i = 0; i < KVM_FACT_COUNT; i++) {
		enum kvm_answer answer = facts->answer[doctor_facts[i].fact];
		bool lacks = answer != KVM_WORKS;

		if (remedy && (!lacks || remedy != doctor_facts[i].remedy))
			remedy_lines(out, remedy);
		line(out, doctor_facts[i].title, doctor_answer_text(answer));
		remedy = lacks ? doctor_facts[i].remedy : NULL;
	}
	if (remedy)
		remedy_lines(out, remedy);
}

static void xen_line(FILE *out, uint32_t features)
{
	if (!features)
		return;
	fprintf(out, "  %-*s", TITLE_WIDTH, "KVM_XEN features");
	for (int bit = 0; bit < 32; bit++) {
		const char *name = doctor_xen_feature(bit);

		if (!(features & (1u << bit)))
			continue;
		if (name)
			fprintf(out, " %s", name);
		else
			fprintf(out, " bit-%d", bit);
	}
	fputc('\n', out);
}

/* One kind of guest: will it run, or what is lacking? */
static void guest_line(FILE *out, const struct kvm_facts *facts, const char *title,
		       enum doctor_guest guest)
{
	const char *separator = ": lacks ";

	if (doctor_runs(facts, guest)) {
		line(out, title, "will run");
		return;
	}
	fprintf(out, "  %-*s will not run", TITLE_WIDTH, title);
	if (facts->device != KVM_DEVICE_OK)
		fprintf(out, ": no KVM");
	for (int i = 0; facts->device == KVM_DEVICE_OK && i < KVM_FACT_COUNT; i++) {
		if (!doctor_blocks(facts, i, guest))
			continue;
		fprintf(out, "%s%s", separator, doctor_facts[i].word);
		separator = ", ";
	}
	fputc('\n', out);
}

static void guest_lines(FILE *out, const struct kvm_facts *facts)
{
	fprintf(out, "\nGuests\n");
	guest_line(out, facts, "PVH", DOCTOR_PVH);
	if (doctor_runs(facts, DOCTOR_PVH) && facts->answer[KVM_FACT_PAGING_PAE] != KVM_WORKS)
		remedy_lines(out,
			     "Only 64-bit ones: a 32-bit kernel cannot turn on its paging here.");
	line(out, "HVM", "will not run: not yet in this release");
	guest_line(out, facts, "PV", DOCTOR_PV);
}

void doctor_text(FILE *out, const struct kvm_facts *facts)
{
	device_lines(out, facts);
	if (facts->device == KVM_DEVICE_OK) {
		speed_lines(out, &facts->speed);
		fact_lines(out, facts);
		xen_line(out, facts->xen_features);
	}
	guest_lines(out, facts);
}

void doctor_features(FILE *out, const struct kvm_facts *facts)
{
	if (facts->device != KVM_DEVICE_OK)
		return;
	fprintf(out, "kvm\n");
	for (int i = 0; i < KVM_FACT_COUNT; i++) {
		enum kvm_answer answer = facts->answer[doctor_facts[i].fact];

		if (answer == KVM_WORKS)
			fprintf(out, "%s\n", doctor_facts[i].word);
		else if (answer == KVM_EMULATED)
			fprintf(out, "ring0-emulated\n");
	}
	if (doctor_runs(facts, DOCTOR_PVH))
		fprintf(out, "run-pvh\n");
	if (doctor_runs(facts, DOCTOR_PV))
		fprintf(out, "pv\n");
}
