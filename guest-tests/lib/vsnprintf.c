// SPDX-License-Identifier: BSD-2-Clause
#include "guest-tests/lib/console.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
	char *buf;
	size_t size, len;
};

struct spec {
	unsigned int width;
	bool left, zero, hash;
	char length; /* 0, 'l', 'L' for ll, 'z' */
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_field(struct out *o, const struct spec *s, const char *text, size_t n)
{
	for (size_t i = n; !s->left && i < s->width; i++)
		put(o, ' ');
	for (size_t i = 0; i < n; i++)
		put(o, text[i]);
	for (size_t i = n; s->left && i < s->width; i++)
		put(o, ' ');
}

static void put_number(struct out *o, const struct spec *s, uint64_t v, unsigned int base, bool neg)
{
	char text[40];
	size_t at = sizeof(text), digits = 0;

	do {
		text[--at] = "0123456789abcdef"[v % base];
		digits++;
	} while ((v /= base) || (s->zero && digits < s->width && digits < 20));
	if (s->hash && base == 16) {
		text[--at] = 'x';
		text[--at] = '0';
	}
	if (neg)
		text[--at] = '-';
	put_field(o, s, text + at, sizeof(text) - at);
}

static uint64_t take_unsigned(const struct spec *s, va_list *args)
{
	switch (s->length) {
	case 'L':
		return va_arg(*args, unsigned long long);
	case 'l':
		return va_arg(*args, unsigned long);
	case 'z':
		return va_arg(*args, size_t);
	default:
		return va_arg(*args, unsigned int);
	}
}

static int64_t take_signed(const struct spec *s, va_list *args)
{
	switch (s->length) {
	case 'L':
		return va_arg(*args, long long);
	case 'l':
	case 'z':
		return va_arg(*args, long);
	default:
		return va_arg(*args, int);
	}
}

static const char *parse(const char *p, struct spec *s)
{
	for (;; p++) {
		if (*p == '-')
			s->left = true;
		else if (*p == '0')
			s->zero = true;
		else if (*p == '#')
			s->hash = true;
		else
			break;
	}
	for (; *p >= '0' && *p <= '9'; p++)
		s->width = s->width * 10 + (unsigned int)(*p - '0');
	for (; *p == 'l' || *p == 'z'; p++)
		s->length = s->length == 'l' ? 'L' : *p;
	return p;
}

static void convert(struct out *o, char kind, const struct spec *s, va_list *args)
{
	const char *text;
	size_t n = 0;
	int64_t v;
	char c;

	switch (kind) {
	case 'd':
	case 'i':
		v = take_signed(s, args);
		put_number(o, s, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, v < 0);
		break;
	case 'u':
		put_number(o, s, take_unsigned(s, args), 10, false);
		break;
	case 'x':
		put_number(o, s, take_unsigned(s, args), 16, false);
		break;
	case 'p':
		put_number(o, &(struct spec){.hash = true}, (uintptr_t)va_arg(*args, void *), 16,
			   false);
		break;
	case 's':
		text = va_arg(*args, const char *);
		while (text[n])
			n++;
		put_field(o, s, text, n);
		break;
	case 'c':
		c = (char)va_arg(*args, int);
		put_field(o, s, &c, 1);
		break;
	default:
		put(o, kind);
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct out o = {.buf = buf, .size = size};
	va_list ap;

	va_copy(ap, args);
	for (; *fmt; fmt++) {
		struct spec s = {0};

		if (*fmt != '%') {
			put(&o, *fmt);
			continue;
		}
		fmt = parse(fmt + 1, &s);
		if (!*fmt)
			break;
		convert(&o, *fmt, &s, &ap);
	}
	va_end(ap);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(buf, size, fmt, args);
	va_end(args);
	return n;
}
