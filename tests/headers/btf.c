// SPDX-License-Identifier: GPL-2.0-only
/*
 * btf FILE: what BTF says about the structures and enumerators that layout.c asks the compiler about, in the same words
 *
 * FILE is the raw BTF of a kernel for s390x, so it is big endian, whatever this machine is. The format is described in
 * the kernel's Documentation/bpf/btf.rst.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC 0xeb9f
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

enum kind {
	KIND_INT = 1, KIND_PTR, KIND_ARRAY, KIND_STRUCT, KIND_UNION, KIND_ENUM, KIND_FWD, KIND_TYPEDEF, KIND_VOLATILE,
	KIND_CONST, KIND_RESTRICT, KIND_FUNC, KIND_FUNC_PROTO, KIND_VAR, KIND_DATASEC, KIND_FLOAT, KIND_DECL_TAG,
	KIND_TYPE_TAG, KIND_ENUM64
};

static const char * const structs[] = { "ap_driver", "ap_device", "ap_queue" };
static const char * const enums[] = { "ap_dev_state" };

static uint8_t *btf;
static size_t size;
static const char *strings;
static size_t strings_size;

static void give_up(const char *why)
{
	fprintf(stderr, "btf: %s\n", why);
	exit(1);
}

static uint32_t word(const uint8_t *at)
{
	if (at < btf || at + 4 > btf + size)
		give_up("it ends in the middle");
	return (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static const char *name_at(uint32_t offset)
{
	if (offset >= strings_size)
		give_up("a name is outside of the strings");
	return strings + offset;
}

static bool listed(const char * const *list, size_t n, const char *name)
{
	while (n--)
		if (!strcmp(list[n], name))
			return true;
	return false;
}

/* How many bytes follow the twelve that every type begins with */
static size_t rest(unsigned int kind, unsigned int vlen)
{
	switch (kind) {
	case KIND_INT:
	case KIND_VAR:
	case KIND_DECL_TAG:
		return 4;
	case KIND_ARRAY:
		return 12;
	case KIND_STRUCT:
	case KIND_UNION:
	case KIND_DATASEC:
	case KIND_ENUM64:
		return vlen * 12;
	case KIND_ENUM:
	case KIND_FUNC_PROTO:
		return vlen * 8;
	case KIND_PTR:
	case KIND_FWD:
	case KIND_TYPEDEF:
	case KIND_VOLATILE:
	case KIND_CONST:
	case KIND_RESTRICT:
	case KIND_FUNC:
	case KIND_FLOAT:
	case KIND_TYPE_TAG:
		return 0;
	}
	give_up("there is a kind of type that was not known when this was written");
	return 0;
}

static void tell_struct(const char *name, const uint8_t *type, unsigned int vlen, bool bitfields)
{
	const uint8_t *member = type + 12;
	uint32_t bits;

	printf("sizeof %s %u\n", name, word(type + 8));
	for (; vlen--; member += 12) {
		bits = word(member + 8) & (bitfields ? 0xffffff : 0xffffffff);
		printf("%s.%s %u\n", name, name_at(word(member)), bits / 8);
	}
}

static void tell_enum(const uint8_t *type, unsigned int vlen)
{
	const uint8_t *value = type + 12;

	for (; vlen--; value += 8)
		printf("%s %u\n", name_at(word(value)), word(value + 4));
}

static void tell_types(const uint8_t *type, const uint8_t *end)
{
	uint32_t info;
	const char *name;

	for (; type < end; type += 12 + rest(info >> 24 & 0x1f, info & 0xffff)) {
		info = word(type + 4);
		name = name_at(word(type));
		if ((info >> 24 & 0x1f) == KIND_STRUCT && listed(structs, ARRAY_SIZE(structs), name))
			tell_struct(name, type, info & 0xffff, info >> 31);
		if ((info >> 24 & 0x1f) == KIND_ENUM && listed(enums, ARRAY_SIZE(enums), name))
			tell_enum(type, info & 0xffff);
	}
}

static void load(const char *path)
{
	FILE *file = fopen(path, "rb");

	if (!file || fseek(file, 0, SEEK_END))
		give_up("cannot be read");
	size = ftell(file);
	if (fseek(file, 0, SEEK_SET))
		give_up("cannot be read");
	btf = malloc(size + 1);
	if (!btf || fread(btf, 1, size, file) != size)
		give_up("cannot be read");
	/* Strings end, whatever the file says. */
	btf[size] = 0;
	fclose(file);
}

int main(int argc, char **argv)
{
	const uint8_t *body;
	uint64_t header, types, types_size, string_offset;

	if (argc != 2)
		give_up("which file?");
	load(argv[1]);
	if (word(btf) >> 16 != MAGIC)
		give_up("this is no BTF of a big endian machine");
	header = word(btf + 4);
	types = header + word(btf + 8);
	types_size = word(btf + 12);
	string_offset = header + word(btf + 16);
	strings_size = word(btf + 20);
	if (types + types_size > size || string_offset + strings_size > size)
		give_up("its parts are larger than the whole");
	strings = (char *)btf + string_offset;
	body = btf + types;
	tell_types(body, body + types_size);
	return 0;
}
