// SPDX-License-Identifier: BSD-2-Clause
/*
 * What several keys say together (memory and maxmem, type and builder, what is booted), whatever
 * their order.
 */
#include <stdlib.h>
#include <string.h>

#include "host/config/lexer.h"
#include "host/config/reader.h"

#define MIB            (1ull << 20)
#define DEFAULT_MEMORY (512 * MIB)

/* Debian's package grub-xen-host. */
#define GRUB_PVH  "/usr/lib/grub-xen/grub-i386-xen_pvh.bin"
#define GRUB_PV64 "/usr/lib/grub-xen/grub-x86_64-xen.bin"

static int type_and_builder(struct reader *r)
{
	const struct config_setting *type = config_syntax_find(r->syntax, "type");
	const struct config_setting *builder = config_syntax_find(r->syntax, "builder");
	bool hvm;

	if (!type || !builder)
		return 0;
	hvm = !strcmp(builder->value.text, "hvm");
	if (r->c->type == (hvm ? GUEST_HVM : GUEST_PV))
		return 0;
	return problem_at(r->p, builder->source, builder->value.line,
			  "builder '%s' contradicts type '%s': leave builder= out",
			  builder->value.text, type->value.text);
}

/* A PV guest in its own container is what a PV guest is here, whoever asks for it. */
static int pvshim(struct reader *r)
{
	const struct config_setting *s = config_syntax_find(r->syntax, "pvshim");
	long on;

	if (!s)
		return 0;
	if (read_number(r, s, 0, 1, &on))
		return -1;
	if (on && r->c->type == GUEST_PVH)
		r->c->type = GUEST_PV;
	return 0;
}

static int use_grub(struct reader *r, const struct config_setting *s, const char *image)
{
	r->c->kernel = strdup(image);
	if (!r->c->kernel)
		return problem(r->p, "out of memory");
	reader_warn(r, s, s->value.line,
		    "%s '%s': GRUB for Xen (%s, package grub-xen-host) reads the disk's own menu "
		    "instead",
		    s->name, s->value.text, image);
	return 0;
}

/* firmware= in place of kernel=. */
static int firmware(struct reader *r, const struct config_setting *s)
{
	const char *value = s->value.text;
	bool pvgrub64 = !strcmp(value, "pvgrub64");

	if (r->c->type == GUEST_HVM) {
		reader_warn(r, s, s->value.line, "%s has no effect yet", s->name);
		return 0;
	}
	if (r->c->kernel)
		return problem_at(r->p, s->source, s->value.line,
				  "firmware '%s' and kernel '%s': leave out one of them", value,
				  r->c->kernel);
	if (!pvgrub64 && strcmp(value, "pvgrub32"))
		return problem_at(r->p, s->source, s->value.line,
				  "firmware '%s' is none of pvgrub32, pvgrub64 (others are for HVM "
				  "guests)",
				  value);
	if (r->c->type == GUEST_PVH)
		return use_grub(r, s, GRUB_PVH);
	if (!pvgrub64)
		return problem_at(r->p, s->source, s->value.line,
				  "firmware 'pvgrub32' boots 32-bit PV kernels, which cannot run "
				  "here: use \"pvgrub64\", or type=\"pvh\" if the kernel has a PVH "
				  "entry");
	return use_grub(r, s, GRUB_PV64);
}

/* pygrub and its kin read the guest's disk on the host; here GRUB does that inside the guest. */
static int bootloader(struct reader *r, const struct config_setting *s)
{
	const char *base = strrchr(s->value.text, '/');

	base = base ? base + 1 : s->value.text;
	if (r->c->kernel) {
		reader_warn(r, s, s->value.line,
			    "bootloader '%s' is ignored, as there is kernel=", s->value.text);
		return 0;
	}
	if (strcmp(base, "pygrub"))
		return problem_at(r->p, s->source, s->value.line,
				  "bootloader '%s' is not run here: name the kernel in kernel= and "
				  "ramdisk=, or use bootloader=\"pygrub\" for what GRUB boots",
				  s->value.text);
	return use_grub(r, s, r->c->type == GUEST_PVH ? GRUB_PVH : GRUB_PV64);
}

static int boot_source(struct reader *r)
{
	const struct config_setting *fw = config_syntax_find(r->syntax, "firmware");
	const struct config_setting *loader = config_syntax_find(r->syntax, "bootloader");

	if (fw && *fw->value.text && firmware(r, fw))
		return -1;
	if (loader && *loader->value.text && bootloader(r, loader))
		return -1;
	if (r->c->type != GUEST_HVM && !(r->c->kernel && *r->c->kernel))
		return problem(r->p,
			       "%s: no kernel: want kernel=\"FILE\", or bootloader=\"pygrub\" for "
			       "the disk's own",
			       r->c->file ? r->c->file : "command line");
	return 0;
}

static int memory(struct reader *r)
{
	struct guest_config *c = r->c;
	const struct config_setting *s = config_syntax_find(r->syntax, "maxmem");

	if (!c->memory)
		c->memory = c->maxmem ? c->maxmem : DEFAULT_MEMORY;
	if (!c->maxmem)
		c->maxmem = c->memory;
	if (c->maxmem < c->memory)
		return problem_at(r->p, s->source, s->value.line,
				  "maxmem '%s' is less than memory (%llu)", s->value.text,
				  (unsigned long long)(c->memory / MIB));
	return 0;
}

static int vcpus(struct reader *r)
{
	struct guest_config *c = r->c;
	const struct config_setting *s = config_syntax_find(r->syntax, "maxvcpus");

	if (!c->vcpus)
		c->vcpus = 1;
	if (!c->maxvcpus)
		c->maxvcpus = c->vcpus;
	if (c->maxvcpus < c->vcpus)
		return problem_at(r->p, s->source, s->value.line,
				  "maxvcpus '%s' is less than vcpus (%u)", s->value.text, c->vcpus);
	return 0;
}

int read_together(struct reader *r)
{
	return type_and_builder(r) || pvshim(r) || boot_source(r) || memory(r) || vcpus(r) ? -1 : 0;
}
