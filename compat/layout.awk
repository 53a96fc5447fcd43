# SPDX-License-Identifier: GPL-2.0-only
# layout.awk: makes a header of the AP bus from what pahole says about a kernel
#
# Input, in parts that begin with "--": structures and enumeration of the bus; after the release, structures by which kernels differ; prototypes;
# exported symbols. Output is C. If the bus lacks something, or has it with another type, the last line says what, and the exit status is 1.

function refuse(text)
{
	print "the AP bus of this kernel " text ", so vfio_ap cannot be built for it"
	refused = 1
	exit 1
}

# Versions of pahole differ in blanks, and in how they call an unsigned long.
function plain(type)
{
	gsub(/[ \t]+/, " ", type)
	gsub(/long unsigned int/, "unsigned long", type)
	gsub(/ __attribute__\(\([^)]*\)\)+/, "", type)
	gsub(/ *\* */, " *", type)
	gsub(/\( \*/, "(*", type)
	gsub(/\* \*/, "**", type)
	sub(/^ /, "", type)
	sub(/ $/, "", type)
	return type
}

# need(STRUCT.MEMBER, TYPE, OTHER): in C as it is printed here; OTHER is the same under another name
function need(member, type, other)
{
	wanted[++wants] = member
	wanted_type[member] = type
	other_type[member] = other
}

function size_of(name)
{
	return "_Static_assert(sizeof(struct " name ") == " size[name] ",\n\t\"vfio_ap: the BTF is not that of the kernel that is built for: struct " \
		name " has another size\");"
}

# declare(TYPE, NAME)
function declare(type, name)
{
	if (type ~ /\(\*\)/) {
		sub(/\(\*\)/, "(*" name ")", type)
		return type
	}
	return type (type ~ /\*$/ ? "" : " ") name
}

# tell(STRUCT): the members used, in their order, and the rest as bytes
function tell(name,    at, i, n, next_one, member, used)
{
	if (!(name in size))
		refuse("has no struct " name)
	for (i = 1; i <= wants; i++) {
		if (index(wanted[i], name ".") != 1)
			continue
		member = wanted[i]
		if (!(member in offset))
			refuse("has no " member)
		if (type[member] != wanted_type[member] && type[member] != other_type[member])
			refuse("has " member " as " type[member] ", not as " wanted_type[member])
		used[member] = 1
	}
	print "\nstruct " name " {"
	for (at = 0; ; at = offset[next_one] + bytes[next_one]) {
		next_one = ""
		for (member in used)
			if (next_one == "" || offset[member] < offset[next_one])
				next_one = member
		if (next_one == "")
			break
		delete used[next_one]
		if (offset[next_one] < at)
			refuse("has " next_one " beside another member")
		if (offset[next_one] > at)
			print "\tu8 unused_" at "[" offset[next_one] - at "];"
		print "\t" declare(wanted_type[next_one], substr(next_one, length(name) + 2)) ";"
		told[++n] = next_one
	}
	if (size[name] > at)
		print "\tu8 unused_" at "[" size[name] - at "];"
	print "};\n"
	print size_of(name)
	for (i = 1; i <= n; i++) {
		member = substr(told[i], length(name) + 2)
		print "_Static_assert(offsetof(struct " name ", " member ") == " offset[told[i]] ", \"vfio_ap: " told[i] " is at another place\");"
		print "_Static_assert(sizeof(((struct " name " *)0)->" member ") == " bytes[told[i]] ", \"vfio_ap: " told[i] " has another size\");"
	}
	split("", told)
}

function exported(name)
{
	if (!(name in exports))
		refuse("does not export " name)
}

# prototype(NAME, RETURNS, PARAMETERS): where BTF has it; names of parameters do not count
function prototype(name, text)
{
	exported(name)
	if (name in functions && functions[name] != text)
		refuse("has " functions[name] ", not " text)
}

BEGIN {
	need("ap_driver.driver", "struct device_driver")
	need("ap_driver.ids", "struct ap_device_id *")
	need("ap_driver.flags", "unsigned int")
	need("ap_driver.probe", "int (*)(struct ap_device *)")
	need("ap_driver.remove", "void (*)(struct ap_device *)")
	need("ap_driver.in_use", "int (*)(unsigned long *, unsigned long *)")
	need("ap_driver.on_config_changed", "void (*)(struct ap_config_info *, struct ap_config_info *)")
	need("ap_driver.on_scan_complete", "void (*)(struct ap_config_info *, struct ap_config_info *)")
	need("ap_device.device", "struct device")
	need("ap_device.device_type", "int")
	need("ap_queue.ap_dev", "struct ap_device")
	need("ap_queue.lock", "spinlock_t", "struct spinlock")
	need("ap_queue.dev_state", "enum ap_dev_state")
	need("ap_queue.qid", "ap_qid_t", "unsigned int")
	need("ap_queue.assoc_idx", "unsigned int")
	states = split("UNINITIATED OPERATING SHUTDOWN ERROR", state_name, " ")
	part = "bus"
}

/^-- / {
	part = $2
	if (part != "functions" && part != "exported")
		release = part
	next
}

part == "exported" { exports[$1] = 1; next }

part == "functions" {
	line = $0
	sub(/;.*/, "", line)
	name = line
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	count = split(substr(line, index(line, "(") + 1, length(line) - index(line, "(") - 1), parameter, / *, */)
	text = ""
	for (i = 1; i <= count; i++) {
		if (parameter[i] ~ / \* *[a-z_]+$/)
			sub(/ *\* *[a-z_]+$/, " *", parameter[i])
		else if (parameter[i] ~ /^(int|unsigned int|bool) [a-z_]+$/)
			sub(/ [a-z_]+$/, "", parameter[i])
		text = text (i > 1 ? ", " : "") plain(parameter[i])
	}
	returns = substr(line, 1, index(line, name "(") - 1)
	if (name != "")
		functions[name] = plain(returns) " " name "(" text ")"
	next
}

/^struct [a-z_]+ \{/ { inside = $2; depth = 1; next }
/^enum [a-z_]+ \{/ { in_enum = 1; next }

in_enum && /^\}/ { in_enum = 0; next }
in_enum {
	sub(/,.*/, "", $3)
	if ($2 == "=")
		value[$1] = $3
	next
}

inside && /^\t\/\* size: [0-9]+/ && depth == 1 {
	text = $3
	sub(/,/, "", text)
	size[inside] = text + 0
	next
}
inside && /^\}/ { inside = ""; next }
# What is in a structure or a union without a name of its own is not looked at.
inside && /\{[ \t]*$/ { depth++; next }
inside && depth > 1 && /^\t+\}/ { depth--; next }
inside && depth == 1 && /;.*\/\* +[0-9]+ +[0-9]+ \*\/ *$/ {
	line = $0
	numbers = line
	sub(/.*\/\* +/, "", numbers)
	split(numbers, number, /[ *]+/)
	sub(/;[^;]*$/, "", line)
	line = plain(line)
	if (match(line, /\(\*[a-zA-Z0-9_]+\)/)) {
		name = substr(line, RSTART + 2, RLENGTH - 3)
		line = substr(line, 1, RSTART - 1) "(*)" substr(line, RSTART + RLENGTH)
		gsub(/ \*/, " *", line)
	} else {
		match(line, /[a-zA-Z0-9_]+$/)
		if (RSTART == 0)
			next
		name = substr(line, RSTART)
		line = substr(line, 1, RSTART - 1)
	}
	sub(/^ /, "", line)
	sub(/ $/, "", line)
	type[inside "." name] = line
	offset[inside "." name] = number[1] + 0
	bytes[inside "." name] = number[2] + 0
}

END {
	if (refused)
		exit 1
	print "/* SPDX-License-Identifier: GPL-2.0-only */"
	print "/* Made by compat/layout from the type information of " release "; not to be changed. */"
	print "#ifndef VFIO_AP_GENERATED_AP_BUS_H"
	print "#define VFIO_AP_GENERATED_AP_BUS_H\n"
	count = split("device fs mm_types mod_devicetable module mutex sched spinlock stddef types", header, " ")
	for (i = 1; i <= count; i++)
		print "#include <linux/" header[i] ".h>"
	print "#include <asm/ap.h>\n"
	print "#include \"ap_bus_constants.h\"\n"
	count = split("module task_struct mm_struct inode device device_driver", header, " ")
	for (i = 1; i <= count; i++)
		if (header[i] in size)
			print size_of(header[i])
	print "\nenum ap_dev_state {"
	for (i = 1; i <= states; i++) {
		if (!(("AP_DEV_STATE_" state_name[i]) in value))
			refuse("has no AP_DEV_STATE_" state_name[i])
		print "\tAP_DEV_STATE_" state_name[i] " = " value["AP_DEV_STATE_" state_name[i]] ","
	}
	print "};"
	tell("ap_device")
	tell("ap_queue")
	print "\n#define to_ap_queue(dev) container_of((dev), struct ap_queue, ap_dev.device)"
	tell("ap_driver")
	print ""
	if ("ap_attr_mutex" in exports)
		print "extern struct mutex ap_attr_mutex;"
	else if ("ap_perms_mutex" in exports)
		print "extern struct mutex ap_perms_mutex;"
	else
		refuse("exports neither ap_attr_mutex nor ap_perms_mutex")
	prototype("ap_driver_register", "int ap_driver_register(struct ap_driver *, struct module *, char *)")
	prototype("ap_driver_unregister", "void ap_driver_unregister(struct ap_driver *)")
	prototype("ap_owned_by_def_drv", "int ap_owned_by_def_drv(int, int)")
	print "int ap_driver_register(struct ap_driver *driver, struct module *owner, char *name);"
	print "void ap_driver_unregister(struct ap_driver *driver);"
	print "int ap_owned_by_def_drv(int card, int queue);\n"
	print "#endif /* VFIO_AP_GENERATED_AP_BUS_H */"
}
