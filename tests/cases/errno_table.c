// SPDX-License-Identifier: GPL-2.0-only
/*
 * errno_table - errno_table.tsv, executed row by row
 *
 * The comment on top of that file explains its columns. What it has is compared with
 * Documentation/ABI/testing/sysfs-devices-vfio_ap: files and errnos that are described there.
 */

#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "abi.h"
#include "story.h"

#define ABI_FILE "/abi/sysfs-devices-vfio_ap"
#define TABLE "/abi/errno_table.tsv"

/* The queue whose status is looked at, and the card that a path names XX */
#define QUEUE APQN(CARD_5, DOMAIN_4)

/* A writer waits by then, for nothing that it waits for is faster. */
#define WAITING_MS 300

static const struct abi *abi;

/* A row, by one way of opening the device */
struct performance {
	const struct abi_row *row;
	enum vfio_path path;
};

static struct performance *performances;

/* What the preconditions of a row have made */
static struct {
	enum vfio_path path;
	struct mdev *mdev, *other;
	struct vm *vm;
	struct vfio *vfio;
	bool without_vm;
	bool killed;
} stage;

/* Made when it is first needed: what QCI says counts at that time. */
static struct mdev *the_device(void)
{
	if (!stage.mdev)
		stage.mdev = mdev_create();
	return stage.mdev;
}

static struct mdev *the_other(void)
{
	if (!stage.other)
		stage.other = mdev_create();
	return stage.other;
}

static struct vfio *opened(void)
{
	if (!stage.vm)
		stage.vm = vm_create();
	if (!stage.vfio)
		stage.vfio = vfio_open(stage.path, the_device(), stage.vm);
	return stage.vfio;
}

static bool is_number(const char *text, int *number)
{
	char *end;

	*number = strtol(text, &end, 0);
	return end != text && !*end && *number >= 0;
}

static bool is_apqn(const char *text, int *apqn)
{
	unsigned int adapter, domain;
	int length = 0;

	if (sscanf(text, "%2x.%4x%n", &adapter, &domain, &length) != 2 || text[length])
		return false;
	*apqn = APQN(adapter, domain);
	return true;
}

static bool assign(struct mdev *mdev, const char *attribute, const char *text)
{
	int number;

	if (!is_number(text, &number))
		return false;
	mdev_set(mdev, attribute, number);
	return true;
}

static bool adapter(const char *text)
{
	return assign(the_device(), "assign_adapter", text);
}

static bool domain(const char *text)
{
	return assign(the_device(), "assign_domain", text);
}

static bool control_domain(const char *text)
{
	return assign(the_device(), "assign_control_domain", text);
}

static bool other_controls(const char *text)
{
	return assign(the_other(), "assign_control_domain", text);
}

static bool has(struct mdev *mdev, const char *text)
{
	int apqn;

	if (!is_apqn(text, &apqn))
		return false;
	mdev_assign(mdev, APQN_ADAPTER(apqn), APQN_DOMAIN(apqn));
	return true;
}

static bool assigned(const char *text)
{
	return has(the_device(), text);
}

static bool other_has(const char *text)
{
	return has(the_other(), text);
}

static bool apmask(const char *text)
{
	need_rc(apbus_write("apmask", text), 0, "'%s' to apmask", text);
	return true;
}

static bool aqmask(const char *text)
{
	need_rc(apbus_write("aqmask", text), 0, "'%s' to aqmask", text);
	return true;
}

static bool highest(const char *key, const char *text)
{
	int number;

	if (!is_number(text, &number))
		return false;
	apemu_need();
	apemu_do("qci %s=%d", key, number);
	apbus_scan();
	return true;
}

static bool highest_adapter(const char *text)
{
	return highest("na", text);
}

static bool highest_domain(const char *text)
{
	return highest("nd", text);
}

static bool bound(const char *text)
{
	int apqn;

	if (!is_apqn(text, &apqn))
		return false;
	need_rc(apbus_bind(apqn, "vfio_ap"), 0, "%s is bound", text);
	return true;
}

static bool unbound(const char *text)
{
	int apqn;

	if (!is_apqn(text, &apqn))
		return false;
	need_rc(apbus_unbind(apqn), 0, "%s is unbound", text);
	return true;
}

static bool created(const char *text)
{
	need_rc(file_write_text(MDEV_TYPE "/create", text), 0, "%s is created", text);
	return true;
}

static bool guest(const char *text)
{
	opened();
	return !*text;
}

static bool no_vm(const char *text)
{
	stage.without_vm = true;
	return !*text;
}

static bool another_device(const char *text)
{
	stage.vm = vm_create();
	vfio_open(stage.path, the_other(), stage.vm);
	return !*text;
}

static bool never_resets(const char *text)
{
	apemu_need();
	return !apemu_order("reset %s never", text);
}

static bool refuses_resets(const char *text)
{
	apemu_need();
	return !apemu_order("answer zapq %s rc=06 times=0", text);
}

static bool deconfigured(const char *text)
{
	apemu_need();
	return !apemu_order("card %s standby on", text);
}

static bool checkstopped(const char *text)
{
	apemu_need();
	return !apemu_order("card %s checkstop on", text);
}

static bool killed(const char *text)
{
	stage.killed = true;
	return !*text;
}

/* What stands between the two is for the function, which says whether it understood it. */
static const struct condition {
	const char *before, *after;
	bool (*bring_about)(const char *text);
} conditions[] = {
	{ "adapter ", "", adapter },
	{ "domain ", "", domain },
	{ "control domain ", "", control_domain },
	{ "assigned ", "", assigned },
	{ "other has ", "", other_has },
	{ "other controls ", "", other_controls },
	{ "apmask ", "", apmask },
	{ "aqmask ", "", aqmask },
	{ "highest adapter ", "", highest_adapter },
	{ "highest domain ", "", highest_domain },
	{ "bind ", "", bound },
	{ "unbind ", "", unbound },
	{ "created ", "", created },
	{ "guest", "", guest },
	{ "no VM", "", no_vm },
	{ "VM has another device", "", another_device },
	{ "", " never resets", never_resets },
	{ "", " refuses resets", refuses_resets },
	{ "", " is deconfigured", deconfigured },
	{ "", " is checkstopped", checkstopped },
	{ "killed", "", killed },
};

/* The text between before and after, NULL if it is not between these */
static char *between(const char *text, const char *before, const char *after)
{
	size_t length = strlen(text), first = strlen(before), last = strlen(after);

	if (length < first + last || strncmp(text, before, first) ||
	    strcmp(text + length - last, after))
		return NULL;
	return memo("%.*s", (int)(length - first - last), text + first);
}

static void bring_about(const char *condition)
{
	unsigned int i;
	char *text;

	for (i = 0; i < ARRAY_SIZE(conditions); i++) {
		text = between(condition, conditions[i].before, conditions[i].after);
		if (!text)
			continue;
		need(conditions[i].bring_about(text), "the precondition '%s' is understood",
		     condition);
		return;
	}
	need(false, "the precondition '%s' is understood", condition);
}

static void bring_about_all(const char *precondition)
{
	char *list = memo("%s", precondition), *one;

	if (!strcmp(precondition, "-"))
		return;
	while ((one = strsep(&list, ",")))
		bring_about(one + strspn(one, " "));
}

/* The path as the file system has it; an mdev is made if there is a place for one. */
static char *real_path(const char *path)
{
	const char *place = strstr(path, "<uuid>");

	if (place)
		return memo("%.*s%s%s", (int)(place - path), path, the_device()->uuid,
			    place + strlen("<uuid>"));
	place = strstr(path, "cardXX/XX.YYYY");
	if (place)
		return memo("%.*scard%02x/%s%s", (int)(place - path), path, APQN_ADAPTER(QUEUE),
			    apqn_name(QUEUE), place + strlen("cardXX/XX.YYYY"));
	return memo("%s", path);
}

static bool is_named(const struct abi_row *row, const char *path)
{
	return !fnmatch(row->name, strrchr(path, '/') + 1, 0);
}

/*
 * "ok (EBUSY since 6.19)" is two results. That kernel brought driver_override to queues, for
 * which the running one is asked; its number tells nothing about what was ported to it.
 */
static long result_here(const struct abi_row *row)
{
	char before[16], since[16];

	if (sscanf(row->result, "%15s (%15[A-Z0-9] since 6.19)", before, since) == 2)
		return abi_result(apbus_has_override(QUEUE) ? since : before);
	return abi_result(row->result);
}

/* All that a refused write must leave as it was */
static char *sight(void)
{
	return memo("%s%sapmask %saqmask %s%s is bound to '%s'\n%s", mdev_sight(the_device()),
		    stage.other ? mdev_sight(stage.other) : "", apbus_read("apmask"),
		    apbus_read("aqmask"), apqn_name(QUEUE), apbus_driver(QUEUE),
		    memo_file(MDEV_TYPE "/available_instances"));
}

static void write_and_be_killed(const char *path, const char *input)
{
	struct mdev_job *job;
	long took;

	job = mdev_begin(the_device(), strrchr(path, '/') + 1, input);
	clock_sleep_ms(WAITING_MS);
	need(!mdev_done(job), "the writer waits");
	mdev_kill(job);
	expect_rc(mdev_end(job, &took), -EINTR, "the writer dies of the signal");
	expect_at_most(took, WAITING_MS + BOUND_UNBOTHERED_MS, "R-11: at once (ms)");
}

static void write_file(const struct abi_row *row, const char *path)
{
	char *input = memo("%s", strcmp(row->input, "-") ? row->input : "");
	long length = abi_unescape(input), expected = result_here(row);
	char *before = sight();
	apemu_time since = apemu_present() ? apemu_now() : 0;

	need(length >= 0, "the input '%s' is understood", row->input);
	if (stage.killed) {
		need_str(row->result, "killed", "the result of a writer that is killed");
		write_and_be_killed(path, input);
		return;
	}
	need(expected <= 0, "the result '%s' is understood", row->result);
	if (!file_exists(path))
		ktap_not_there("attribute %s", strrchr(path, '/') + 1);
	expect_rc(file_write(path, input, length), expected, "line %u: '%s' to %s", row->line,
		  row->input, path);
	if (!expected)
		return;
	expect_str(sight(), before, "line %u: %s refuses '%s', so nothing changed", row->line,
		   path, row->input);
	if (apemu_present())
		expect_int(apemu_count(since, APEMU_HOST, "zapq", APQN_ANY), 0,
			   "line %u: %s refuses '%s', so the hardware saw nothing", row->line,
			   path, row->input);
}

static void write_files(const struct abi_row *row)
{
	const struct abi_entry *entry = row->entry;
	unsigned int i, found = 0;

	for (i = 0; i < entry->paths; i++) {
		if (!is_named(row, entry->path[i]))
			continue;
		found++;
		write_file(row, real_path(entry->path[i]));
	}
	need(found, "'%s' is a file of this entry", row->name);
}

/* argsz of a row that does not name it */
#define RIGHT_SIZE 0xffffffff

/* What a request differs in from a good one */
struct request {
	uint32_t argsz, index, start, count, flags;
	int32_t fd;
	bool bad_address;
};

static bool flag_by_name(const char *name, uint32_t *flags)
{
	static const struct { const char *name; uint32_t flag; } known[] = {
		{ "none", VFIO_IRQ_SET_DATA_NONE }, { "bool", VFIO_IRQ_SET_DATA_BOOL },
		{ "eventfd", VFIO_IRQ_SET_DATA_EVENTFD }, { "mask", VFIO_IRQ_SET_ACTION_MASK },
		{ "unmask", VFIO_IRQ_SET_ACTION_UNMASK },
		{ "trigger", VFIO_IRQ_SET_ACTION_TRIGGER },
	};
	unsigned int i;
	int number;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (!strcmp(name, known[i].name)) {
			*flags |= known[i].flag;
			return true;
		}
	}
	if (!is_number(name, &number))
		return false;
	*flags |= number;
	return true;
}

static bool parse_flags(char *text, uint32_t *flags)
{
	char *one;

	*flags = 0;
	while ((one = strsep(&text, "+")))
		if (!flag_by_name(one, flags))
			return false;
	return true;
}

static bool parse_fd(const char *text, int32_t *fd)
{
	char *end;

	if (!strcmp(text, "closed")) {
		*fd = 9999;
	} else if (!strcmp(text, "null")) {
		*fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} else {
		*fd = strtol(text, &end, 0);
		return end != text && !*end && *fd < 0;
	}
	return true;
}

static bool parse_field(char *text, struct request *request)
{
	struct { const char *name; uint32_t *field; } numbers[] = {
		{ "argsz", &request->argsz }, { "index", &request->index },
		{ "start", &request->start }, { "count", &request->count },
	};
	char *name = strsep(&text, "="), *end;
	unsigned int i;

	if (!text)
		return false;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		if (strcmp(name, numbers[i].name))
			continue;
		*numbers[i].field = strtoul(text, &end, 0);
		return end != text && !*end;
	}
	if (!strcmp(name, "flags"))
		return parse_flags(text, &request->flags);
	if (!strcmp(name, "fd"))
		return parse_fd(text, &request->fd);
	request->bad_address = true;
	return !strcmp(name, "address") && !strcmp(text, "1");
}

static struct request parse_request(const char *input)
{
	struct request request = {
		.argsz = RIGHT_SIZE, .index = AP_IRQ_CFG_CHG, .count = 1,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.fd = vfio_event_new(),
	};
	char *list = memo("%s", input), *one;

	if (!strcmp(input, "-"))
		return request;
	while ((one = strsep(&list, " ")))
		if (*one)
			need(parse_field(one, &request), "the input '%s' is understood", input);
	return request;
}

#define BAD_ADDRESS ((void *)1)

static long get_info(struct vfio *vfio, const struct request *request)
{
	struct vfio_device_info info = { .argsz = request->argsz };

	return vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, request->bad_address ? BAD_ADDRESS : &info);
}

static long get_irq_info(struct vfio *vfio, const struct request *request)
{
	struct vfio_irq_info info = { .argsz = request->argsz, .index = request->index };

	return vfio_ioctl(vfio, VFIO_DEVICE_GET_IRQ_INFO,
			  request->bad_address ? BAD_ADDRESS : &info);
}

static long set_irqs(struct vfio *vfio, const struct request *request)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd[2];
	} arm = {
		.set = { .argsz = request->argsz, .flags = request->flags,
			 .index = request->index, .start = request->start,
			 .count = request->count },
		.fd = { request->fd, request->fd },
	};

	return vfio_ioctl(vfio, VFIO_DEVICE_SET_IRQS, request->bad_address ? BAD_ADDRESS : &arm);
}

static long reset(struct vfio *vfio, const struct request *request)
{
	(void)request;
	return vfio_reset(vfio);
}

static long pci_hot_reset(struct vfio *vfio, const struct request *request)
{
	(void)request;
	return vfio_ioctl(vfio, VFIO_DEVICE_PCI_HOT_RESET, BAD_ADDRESS);
}

static long query_gfx_plane(struct vfio *vfio, const struct request *request)
{
	(void)request;
	return vfio_ioctl(vfio, VFIO_DEVICE_QUERY_GFX_PLANE, BAD_ADDRESS);
}

static long read_device(struct vfio *vfio, const struct request *request)
{
	char byte;

	(void)request;
	return read(vfio->device, &byte, 1) < 0 ? -errno : 0;
}

static long write_device(struct vfio *vfio, const struct request *request)
{
	(void)request;
	return write(vfio->device, "", 1) < 0 ? -errno : 0;
}

static long map_device(struct vfio *vfio, const struct request *request)
{
	(void)request;
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, vfio->device, 0) == MAP_FAILED ? -errno : 0;
}

static const struct {
	const char *name;
	size_t argsz;
	long (*issue)(struct vfio *vfio, const struct request *request);
} requests[] = {
	{ "GET_INFO", 16, get_info },
	{ "GET_IRQ_INFO", 16, get_irq_info },
	{ "SET_IRQS", 24, set_irqs },
	{ "RESET", 0, reset },
	{ "PCI_HOT_RESET", 0, pci_hot_reset },
	{ "QUERY_GFX_PLANE", 0, query_gfx_plane },
	{ "read", 0, read_device },
	{ "write", 0, write_device },
	{ "mmap", 0, map_device },
};

static long open_device(void)
{
	if (!stage.vm && !stage.without_vm)
		stage.vm = vm_create();
	return vfio_try(&stage.vfio, stage.path, the_device(), stage.vm);
}

static long issue(const struct abi_row *row)
{
	struct request request = parse_request(row->input);
	unsigned int i;

	if (!strcmp(row->name, "open"))
		return open_device();
	for (i = 0; i < ARRAY_SIZE(requests); i++) {
		if (strcmp(row->name, requests[i].name))
			continue;
		if (request.argsz == RIGHT_SIZE)
			request.argsz = requests[i].argsz;
		if (request.index == AP_IRQ_CFG_CHG)
			vfio_look_for_irq(opened(), request.index);
		return requests[i].issue(opened(), &request);
	}
	need(false, "the request '%s' is understood", row->name);
	return 0;
}

static void request(const struct abi_row *row)
{
	long expected = result_here(row);

	need(expected <= 0, "the result '%s' is understood", row->result);
	expect_rc(issue(row), expected, "line %u: %s with %s", row->line, row->name, row->input);
}

/* Devices that a row made by writing to create */
static void remove_created(void)
{
	DIR *dir = opendir("/sys/bus/mdev/devices");
	struct dirent *found;

	while (dir && (found = readdir(dir)))
		if (!strncmp(found->d_name, "11111111-", 9))
			expect_rc(file_write_text(memo("%s/%s/remove", MATRIX_DEVICE,
						       found->d_name), "1"), 0,
				  "%s can be removed", found->d_name);
	if (dir)
		closedir(dir);
}

static void perform(void)
{
	const struct performance *performance = &performances[ktap_case_number()];
	const struct abi_row *row = performance->row;

	memset(&stage, 0, sizeof(stage));
	stage.path = performance->path;
	vfio_need(stage.path);
	bring_about_all(row->precondition);
	if (!strcmp(row->kind, "file"))
		write_files(row);
	else
		request(row);
	remove_created();
}

static void understood(void)
{
	expect(!abi->bad_file, "%s:%u: %s", abi->bad_file ? abi->bad_file : "", abi->bad_line,
	       abi->why ? abi->why : "");
	expect_at_least(abi->rows, 1, "there are rows");
}

static bool has_row_for(const char *path)
{
	unsigned int i, p;

	for (i = 0; i < abi->rows; i++)
		for (p = 0; p < abi->row[i].entry->paths; p++)
			if (!strcmp(real_path(abi->row[i].entry->path[p]), path) &&
			    is_named(&abi->row[i], path))
				return true;
	return false;
}

/* All that the driver and the type of device offer, but not what each device of the kernel has */
static void check_attributes(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *found;
	struct stat st;
	char *path;

	while (dir && (found = readdir(dir))) {
		path = memo("%s/%s", directory, found->d_name);
		if (!strcmp(found->d_name, "uevent") || lstat(path, &st) || !S_ISREG(st.st_mode))
			continue;
		expect(has_row_for(path), "%s is described and tried", path);
	}
	if (dir)
		closedir(dir);
}

static void complete(void)
{
	memset(&stage, 0, sizeof(stage));
	check_attributes(memo("%s/%s", MATRIX_DEVICE, the_device()->uuid));
	check_attributes(MATRIX_DEVICE);
	expect(has_row_for(MDEV_TYPE "/create"), "create is described and tried");
	expect(has_row_for(real_path("/sys/devices/ap/cardXX/XX.YYYY/status")),
	       "status is described and tried");
}

static bool is_tried(const struct abi_errno *error)
{
	unsigned int i;

	for (i = 0; i < abi->rows; i++)
		if (abi->row[i].entry == error->entry &&
		    result_here(&abi->row[i]) == error->rc)
			return true;
	return false;
}

static bool is_explained(const struct abi_row *row)
{
	bool list = false;
	unsigned int i;

	for (i = 0; i < abi->errors; i++) {
		if (abi->error[i].entry != row->entry)
			continue;
		list = true;
		if (abi->error[i].rc == result_here(row))
			return true;
	}
	/* Of what can only be read, everybody knows it. */
	return !list && !strcmp(row->result, "EACCES");
}

static void errnos(void)
{
	unsigned int i;

	for (i = 0; i < abi->errors; i++)
		expect(is_tried(&abi->error[i]), "line %u of the ABI file: a row results in %s",
		       abi->error[i].line, errno_name(abi->error[i].rc));
	for (i = 0; i < abi->rows; i++)
		if (result_here(&abi->row[i]) < 0)
			expect(is_explained(&abi->row[i]), "line %u: the entry explains %s",
			       abi->row[i].line, abi->row[i].result);
}

static const char *by_path(enum vfio_path path)
{
	return path == VFIO_BY_GROUP ? "group" : "cdev";
}

static unsigned int add_case(struct ktap_case *list, unsigned int number,
			     const struct abi_row *row, enum vfio_path path, const char *suffix)
{
	char *promise;

	if (asprintf(&promise, "line %u: %s | %s | %s | %s%s", row->line, row->name, row->input,
		     row->precondition, row->result, suffix) < 0)
		abort();
	list[number] = (struct ktap_case) { promise, perform };
	performances[number] = (struct performance) { row, path };
	return number + 1;
}

static unsigned int add_row(struct ktap_case *list, unsigned int number, const struct abi_row *row)
{
	char suffix[16];
	int path;

	/* Once open, it is the same device. */
	if (strcmp(row->name, "open"))
		return add_case(list, number, row, VFIO_BY_GROUP, "");
	for (path = VFIO_BY_GROUP; path <= VFIO_BY_CDEV; path++) {
		snprintf(suffix, sizeof(suffix), " (%s)", by_path(path));
		number = add_case(list, number, row, path, suffix);
	}
	return number;
}

int main(int argc, char **argv)
{
	static const struct ktap_case about_the_file[] = {
		{ "C-4: the table of results is understood", understood },
		{ "C-4: each attribute is described and tried", complete },
		{ "C-4: each errno is explained and tried", errnos },
	};
	struct ktap_case *list;
	unsigned int number, i;

	abi = abi_read(argc > 1 ? argv[1] : ABI_FILE, argc > 2 ? argv[2] : TABLE);
	list = calloc(ARRAY_SIZE(about_the_file) + 2 * abi->rows, sizeof(*list));
	performances = calloc(ARRAY_SIZE(about_the_file) + 2 * abi->rows, sizeof(*performances));
	for (number = 0; number < ARRAY_SIZE(about_the_file); number++)
		list[number] = about_the_file[number];
	for (i = 0; i < abi->rows; i++)
		number = add_row(list, number, &abi->row[i]);
	return ktap_main(list, number, &world);
}
