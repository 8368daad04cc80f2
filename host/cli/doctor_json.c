// SPDX-License-Identifier: BSD-2-Clause
#include "host/cli/doctor.h"

#include <jansson.h>
#include <string.h>

/*
 * Jansson's *_new setters take the value over even when they fail, and a NULL value makes them
 * fail; so a document is built without looking, and whether memory sufficed is asked at the end.
 */
struct document {
	bool failed;
};

static void set(struct document *doc, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) < 0)
		doc->failed = true;
}

static void add(struct document *doc, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) < 0)
		doc->failed = true;
}

static json_t *device_object(struct document *doc, const struct kvm_facts *facts)
{
	json_t *object = json_object();
	struct doctor_device device;

	doctor_device(facts, &device);
	set(doc, object, "path", json_string(facts->path));
	set(doc, object, "state", json_string(device.word));
	set(doc, object, "text", json_string(device.state));
	set(doc, object, "permissions", device.mode[0] ? json_string(device.mode) : json_null());
	set(doc, object, "remedy", device.remedy[0] ? json_string(device.remedy) : json_null());
	return object;
}

static json_t *cpu_object(struct document *doc, const struct kvm_facts *facts)
{
	json_t *object = json_object();

	set(doc, object, "vmx", json_boolean(facts->cpu_vmx));
	set(doc, object, "svm", json_boolean(facts->cpu_svm));
	set(doc, object, "virtual", json_boolean(facts->cpu_virtual));
	return object;
}

static json_t *speed_object(struct document *doc, const struct kvm_speed *speed)
{
	json_t *object = json_object();

	set(doc, object, "host", json_real(speed->host));
	set(doc, object, "ring0-unpaged", json_real(speed->unpaged));
	set(doc, object, "ring0-long-mode", json_real(speed->ring0));
	set(doc, object, "ring3-long-mode", json_real(speed->ring3));
	return object;
}

static json_t *facts_object(struct document *doc, const struct kvm_facts *facts)
{
	json_t *object = json_object();

	for (int i = 0; i < KVM_FACT_COUNT; i++) {
		enum kvm_answer answer = facts->answer[doctor_facts[i].fact];
		json_t *fact = json_object();

		set(doc, fact, "has", json_boolean(answer == KVM_WORKS));
		set(doc, fact, "answer", json_string(doctor_answer_word(answer)));
		if (answer != KVM_WORKS)
			set(doc, fact, "remedy", json_string(doctor_facts[i].remedy));
		set(doc, object, doctor_facts[i].word, fact);
	}
	return object;
}

static json_t *xen_array(struct document *doc, uint32_t features)
{
	json_t *array = json_array();

	for (int bit = 0; bit < 32; bit++) {
		const char *name = doctor_xen_feature(bit);

		if (!(features & (1u << bit)))
			continue;
		add(doc, array, name ? json_string(name) : json_sprintf("bit-%d", bit));
	}
	return array;
}

/* What stands in the way of a kind of guest, and whether this release runs it where nothing does.
 */
static json_t *guest_object(struct document *doc, const struct kvm_facts *facts,
			    enum doctor_guest guest)
{
	json_t *object = json_object(), *lacks = json_array();

	for (int i = 0; i < KVM_FACT_COUNT; i++)
		if (doctor_blocks(facts, i, guest))
			add(doc, lacks, json_string(doctor_facts[i].word));
	set(doc, object, "runs", json_boolean(doctor_runs(facts, guest)));
	set(doc, object, "lacks", lacks);
	return object;
}

static json_t *guests_object(struct document *doc, const struct kvm_facts *facts)
{
	json_t *object = json_object();

	set(doc, object, "pvh", guest_object(doc, facts, DOCTOR_PVH));
	set(doc, object, "hvm", json_pack("{s:b}", "runs", false));
	set(doc, object, "pv", guest_object(doc, facts, DOCTOR_PV));
	return object;
}

int doctor_json(FILE *out, const struct kvm_facts *facts)
{
	struct document doc = {0};
	json_t *root = json_object();

	set(&doc, root, "device", device_object(&doc, facts));
	set(&doc, root, "cpu", cpu_object(&doc, facts));
	set(&doc, root, "api-version", json_integer(facts->api_version));
	set(&doc, root, "max-vcpus", json_integer(facts->max_vcpus));
	set(&doc, root, "ns-per-instruction", speed_object(&doc, &facts->speed));
	set(&doc, root, "facts", facts_object(&doc, facts));
	set(&doc, root, "kvm-xen-features", xen_array(&doc, facts->xen_features));
	set(&doc, root, "guests", guests_object(&doc, facts));
	if (!doc.failed && json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) < 0)
		doc.failed = true;
	fputc('\n', out);
	json_decref(root);
	return doc.failed ? -1 : 0;
}
