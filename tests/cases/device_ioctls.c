// SPDX-License-Identifier: GPL-2.0-only
/* device_ioctls - the VFIO device interface, with every size and flag that must be refused */

#include <fcntl.h>
#include <sys/mman.h>
#include "module.h"
#include "story.h"

#define BAD_ADDRESS ((void *)1)

static struct vfio *opened(void)
{
	return scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4).vfio;
}

static void info(void)
{
	struct vfio *vfio = opened();
	struct vfio_device_info info = { .argsz = 16 };

	need_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, &info), 0,
		"GET_INFO works with the smallest structure");
	expect_hex(info.flags, 0x21, "flags are RESET and AP");
	expect_int(info.num_regions, 0, "no regions");
	vfio_look_for_irq(vfio, AP_IRQ_COUNT - 1);
	expect_int(info.num_irqs, AP_IRQ_COUNT, "two interrupts: request and configuration change");
	info.argsz = 15;
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, &info), -EINVAL, "15 bytes are too few");
	info.argsz = 0;
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, &info), -EINVAL, "0 bytes are too few");
	info.argsz = 4096;
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, &info), 0,
		  "more bytes are for the future");
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, BAD_ADDRESS), -EFAULT, "a bad address");
}

static void irq_info(void)
{
	struct vfio *vfio = opened();
	struct vfio_irq_info info = { .argsz = sizeof(info) };
	unsigned int index;

	for (index = 0; index < AP_IRQ_COUNT; index++) {
		info = (struct vfio_irq_info){ .argsz = sizeof(info), .index = index };
		vfio_look_for_irq(vfio, index);
		need_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_IRQ_INFO, &info), 0, "index %u exists",
			index);
		expect_int(info.count, 1, "index %u is one interrupt", index);
		expect_hex(info.flags, VFIO_IRQ_INFO_EVENTFD, "index %u is signalled by eventfd",
			   index);
	}
	info = (struct vfio_irq_info){ .argsz = sizeof(info), .index = AP_IRQ_COUNT };
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL,
		  "index 2 does not exist");
	info.index = ~0U;
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL,
		  "index 2^32 - 1 does not exist");
	info = (struct vfio_irq_info){ .argsz = sizeof(info) - 1 };
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_IRQ_INFO, &info), -EINVAL,
		  "15 bytes are too few");
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_GET_IRQ_INFO, BAD_ADDRESS), -EFAULT,
		  "a bad address");
}

struct arm {
	struct vfio_irq_set set;
	int32_t fd;
};

#define ARM_FLAGS (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)

static const struct arm good_arm = {
	.set = { .argsz = sizeof(struct arm), .flags = ARM_FLAGS, .index = AP_IRQ_CFG_CHG,
		 .count = 1 },
	.fd = -1,
};

static long set_irqs(struct vfio *vfio, struct arm arm)
{
	return vfio_ioctl(vfio, VFIO_DEVICE_SET_IRQS, &arm);
}

#define WITH(member, value) ({ struct arm arm_ = good_arm; arm_.member = (value); arm_; })

static void set_irqs_refused(void)
{
	struct vfio *vfio = opened();

	vfio_look_for_irq(vfio, good_arm.set.index);
	need_rc(set_irqs(vfio, good_arm), 0, "the model of what follows is good");
	expect_rc(set_irqs(vfio, WITH(set.argsz, 19)), -EINVAL, "a header of 19 bytes");
	expect_rc(set_irqs(vfio, WITH(set.argsz, 0)), -EINVAL, "a header of 0 bytes");
	expect_rc(set_irqs(vfio, WITH(set.argsz, 20)), -EINVAL, "no room for the eventfd");
	expect_rc(set_irqs(vfio, WITH(set.argsz, 23)), -EINVAL,
		  "room for three quarters of the eventfd");
	expect_rc(set_irqs(vfio, WITH(set.index, AP_IRQ_COUNT)), -EINVAL, "index 2");
	expect_rc(set_irqs(vfio, WITH(set.index, ~0U)), -EINVAL, "index 2^32 - 1");
	expect_rc(set_irqs(vfio, WITH(set.start, 1)), -EINVAL, "start 1");
	expect_rc(set_irqs(vfio, WITH(set.start, ~0U)), -EINVAL, "start 2^32 - 1, which wraps");
	expect_rc(set_irqs(vfio, WITH(set.count, 2)), -EINVAL, "count 2");
	expect_rc(set_irqs(vfio, WITH(set.count, ~0U)), -EINVAL, "count 2^32 - 1");
	expect_rc(set_irqs(vfio, WITH(set.flags, ARM_FLAGS | 1 << 6)), -EINVAL, "an unknown flag");
	expect_rc(set_irqs(vfio, WITH(set.flags, 1U << 31 | ARM_FLAGS)), -EINVAL, "the last flag");
	expect_rc(set_irqs(vfio,
			   WITH(set.flags, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)),
			   -EINVAL, "no data");
	expect_rc(set_irqs(vfio,
			   WITH(set.flags, VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER)),
			   -EINVAL, "bool data");
	expect_rc(set_irqs(vfio, WITH(set.flags, ARM_FLAGS | VFIO_IRQ_SET_DATA_BOOL)), -EINVAL,
		  "two kinds of data");
	expect_rc(set_irqs(vfio, WITH(set.flags, VFIO_IRQ_SET_DATA_EVENTFD)), -EINVAL, "no action");
	expect_rc(set_irqs(vfio,
			   WITH(set.flags, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_MASK)),
			   -EINVAL, "mask only");
	expect_rc(set_irqs(vfio, WITH(fd, -2)), -EINVAL, "eventfd -2");
	expect_rc(set_irqs(vfio, WITH(fd, 9999)), -EBADF, "a file that is not open");
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_SET_IRQS, BAD_ADDRESS), -EFAULT, "a bad address");
}

static void set_irqs_bad_file(void)
{
	struct vfio *vfio = opened();
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), event = vfio_event_new();

	need_rc(vfio_arm(vfio, AP_IRQ_CFG_CHG, event), 0, "an eventfd can be armed");
	expect_rc(set_irqs(vfio, WITH(fd, null)), -EINVAL, "a file that is no eventfd");
	close(null);
	vfio_events(event);
	expect_rc(set_irqs(vfio, WITH(fd, -1)), 0, "disarming works");
	expect_rc(set_irqs(vfio, WITH(fd, -1)), 0, "disarming twice works");
	close(event);
}

/* A header whose last byte is the last of its page; behind it nothing can be read. */
static struct vfio_irq_set *header_at_the_end(void)
{
	long size = getpagesize();
	char *pages = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			   0);

	need(pages != MAP_FAILED && !munmap(pages + size, size), "a page with nothing behind it");
	return (void *)(pages + size - sizeof(struct vfio_irq_set));
}

static void set_irqs_header_only(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	struct vfio_irq_set *set = header_at_the_end();
	int event = vfio_event_new();

	module_need_ours("what linux/vfio.h says of count 0");
	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "an eventfd can be armed");
	*set = (struct vfio_irq_set){ .argsz = sizeof(*set), .flags = ARM_FLAGS,
				      .index = AP_IRQ_CFG_CHG };
	expect_rc(vfio_ioctl(scene.vfio, VFIO_DEVICE_SET_IRQS, set), -EINVAL,
		  "R-29: no eventfd is read behind argsz");
	vfio_events(event);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_int(vfio_events(event), 1, "the one before stays armed");
	set->flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	expect_rc(vfio_ioctl(scene.vfio, VFIO_DEVICE_SET_IRQS, set), 0,
		  "R-29: no data and count 0 disarm the index");
	mdev_set(scene.mdev, "unassign_domain", DOMAIN_47);
	expect_int(vfio_events(event), 0, "R-29: the eventfd is signalled no more");
	set->count = 1;
	expect_rc(vfio_ioctl(scene.vfio, VFIO_DEVICE_SET_IRQS, set), -EINVAL,
		  "R-29: nothing can be triggered by hand");
	close(event);
}

static void set_irqs_old_stays(void)
{
	struct scene scene = scene_with(VFIO_BY_GROUP, CARD_5, DOMAIN_4);
	int event = vfio_event_new();

	need_rc(vfio_arm(scene.vfio, AP_IRQ_CFG_CHG, event), 0, "an eventfd can be armed");
	expect_rc(set_irqs(scene.vfio, WITH(fd, 9999)), -EBADF, "a bad one is refused");
	vfio_events(event);
	mdev_set(scene.mdev, "assign_domain", DOMAIN_47);
	expect_int(vfio_events(event), 1, "the one before stays armed");
	close(event);
}

static void others(void)
{
	struct vfio *vfio = opened();
	struct vfio_region_info region = { .argsz = sizeof(region) };
	char byte;
	long rc;

	rc = vfio_ioctl(vfio, VFIO_DEVICE_GET_REGION_INFO, &region);
	expect(rc == -EOPNOTSUPP || rc == -EINVAL, "there are no regions (observed %s)",
	       errno_name(rc));
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_PCI_HOT_RESET, BAD_ADDRESS), -EOPNOTSUPP,
		  "this is not PCI");
	expect_rc(vfio_ioctl(vfio, VFIO_DEVICE_QUERY_GFX_PLANE, BAD_ADDRESS), -EOPNOTSUPP,
		  "this is not graphics");
	expect(read(vfio->device, &byte, 1) < 0, "the device cannot be read");
	expect(write(vfio->device, &byte, 1) < 0, "the device cannot be written");
}

static const struct ktap_case cases[] = {
	{ "C-11: GET_INFO", info },
	{ "C-11: GET_IRQ_INFO", irq_info },
	{ "C-11: SET_IRQS refuses what is not exactly right", set_irqs_refused },
	{ "C-11: SET_IRQS with a file that is no eventfd", set_irqs_bad_file },
	{ "R-29: SET_IRQS with a header and nothing behind it", set_irqs_header_only },
	{ "C-11: a refused eventfd leaves the old one armed", set_irqs_old_stays },
	{ "C-11: everything else is refused", others },
};

int main(void)
{
	return RUN_IN_THE_WORLD(cases);
}
