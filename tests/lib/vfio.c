// SPDX-License-Identifier: GPL-2.0-only
/* vfio - what a VMM does with the mediated device */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "ktap.h"
#include "memo.h"
#include "vfio.h"

enum { MANY = 64 };

static struct vfio *alive[MANY];

static long sys(long rc)
{
	return rc < 0 ? -errno : rc;
}

bool vfio_has(enum vfio_path path)
{
	return file_exists(path == VFIO_BY_GROUP ? "/dev/vfio/vfio" : "/dev/iommu");
}

void vfio_need(enum vfio_path path)
{
	if (!vfio_has(path))
		ktap_skip("the kernel has no %s",
			  path == VFIO_BY_GROUP ? "VFIO groups" : "iommufd");
}

const char *vfio_path_name(enum vfio_path path)
{
	return path == VFIO_BY_GROUP ? "group" : "cdev";
}

static const char *group_file(struct mdev *mdev)
{
	char target[PATH_MAX], *name;
	ssize_t length = readlink(mdev_path(mdev, "iommu_group"), target, sizeof(target) - 1);

	need(length > 0, "C-14: a mediated device has an IOMMU group");
	target[length] = '\0';
	name = strrchr(target, '/');
	return memo("/dev/vfio/%s", name ? name + 1 : target);
}

static const char *device_file(struct mdev *mdev)
{
	DIR *dir = opendir(mdev_path(mdev, "vfio-dev"));
	struct dirent *entry;
	const char *name = NULL;

	need(dir, "a mediated device has a VFIO device file");
	while (!name && (entry = readdir(dir)))
		if (!strncmp(entry->d_name, "vfio", 4))
			name = memo("/dev/vfio/devices/%s", entry->d_name);
	closedir(dir);
	need(name, "the VFIO device file has a name");
	return name;
}

static long long took_ns;

long long vfio_took_ns(void)
{
	return took_ns;
}

static long open_by_group(struct vfio *vfio, struct mdev *mdev)
{
	long long begun;

	vfio->container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	need(vfio->container >= 0, "the container can be opened");
	vfio->group = open(group_file(mdev), O_RDWR | O_CLOEXEC);
	if (vfio->group < 0)
		return -errno;
	need_rc(sys(ioctl(vfio->group, VFIO_GROUP_SET_CONTAINER, &vfio->container)), 0,
		"the group joins the container");
	/* Version 2, because a container of version 1 cannot pin for mediated devices. */
	need_rc(sys(ioctl(vfio->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU)), 0,
		"the container is of type 1 version 2");
	if (vfio->vm)
		need_rc(vm_file_add(vfio->vm, vfio->group), 0, "KVM takes the VFIO group");
	begun = clock_ns();
	vfio->device = ioctl(vfio->group, VFIO_GROUP_GET_DEVICE_FD, mdev->uuid);
	took_ns = clock_ns() - begun;
	return vfio->device < 0 ? -errno : 0;
}

long vfio_attach(struct vfio *vfio)
{
	struct vfio_device_attach_iommufd_pt attach = { .argsz = sizeof(attach),
							.pt_id = vfio->ioas };

	return vfio_ioctl(vfio, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach);
}

long vfio_detach(struct vfio *vfio)
{
	struct vfio_device_detach_iommufd_pt detach = { .argsz = sizeof(detach) };

	return vfio_ioctl(vfio, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

static void attach_ioas(struct vfio *vfio)
{
	struct iommu_ioas_alloc alloc = { .size = sizeof(alloc) };

	need_rc(sys(ioctl(vfio->container, IOMMU_IOAS_ALLOC, &alloc)), 0,
		"iommufd makes an address space");
	vfio->ioas = alloc.out_ioas_id;
	need_rc(vfio_attach(vfio), 0, "the device joins the address space");
}

static long open_by_cdev(struct vfio *vfio, struct mdev *mdev)
{
	struct vfio_device_bind_iommufd bind = { .argsz = sizeof(bind) };
	long rc;

	vfio->device = open(device_file(mdev), O_RDWR | O_CLOEXEC);
	if (vfio->device < 0)
		return -errno;
	vfio->container = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	need(vfio->container >= 0, "iommufd can be opened");
	if (vfio->vm)
		need_rc(vm_file_add(vfio->vm, vfio->device), 0, "KVM takes the VFIO device");
	bind.iommufd = vfio->container;
	rc = vfio_ioctl(vfio, VFIO_DEVICE_BIND_IOMMUFD, &bind);
	if (!rc)
		attach_ioas(vfio);
	return rc;
}

static void close_files(struct vfio *vfio)
{
	long long begun;

	if (vfio->vm && vfio->group >= 0)
		vm_file_del(vfio->vm, vfio->group);
	else if (vfio->vm && vfio->device >= 0)
		vm_file_del(vfio->vm, vfio->device);
	begun = clock_ns();
	if (vfio->device >= 0)
		close(vfio->device);
	took_ns = clock_ns() - begun;
	if (vfio->group >= 0)
		close(vfio->group);
	if (vfio->container >= 0)
		close(vfio->container);
	free(vfio);
}

long vfio_try(struct vfio **result, enum vfio_path path, struct mdev *mdev, struct vm *vm)
{
	struct vfio *vfio = calloc(1, sizeof(*vfio));
	unsigned int slot, chunk;
	long rc;

	for (slot = 0; slot < MANY && alive[slot]; slot++)
		;
	need(slot < MANY, "a test opens at most %d devices", MANY);
	*vfio = (struct vfio){ .path = path, .vm = vm, .device = -1, .container = -1, .group = -1 };
	alive[slot] = vfio;
	rc = path == VFIO_BY_GROUP ? open_by_group(vfio, mdev) : open_by_cdev(vfio, mdev);
	if (rc) {
		alive[slot] = NULL;
		close_files(vfio);
		vfio = NULL;
	}
	for (chunk = 0; vfio && vm && chunk < VM_CHUNKS; chunk++)
		need_rc(vfio_map(vfio, chunk), 0, "guest memory can be mapped for the device");
	if (result)
		*result = vfio;
	return rc;
}

struct vfio *vfio_open(enum vfio_path path, struct mdev *mdev, struct vm *vm)
{
	struct vfio *vfio;

	need_rc(vfio_try(&vfio, path, mdev, vm), 0, "C-8: the device can be opened (%s)",
		vfio_path_name(path));
	return vfio;
}

void vfio_close(struct vfio *vfio)
{
	unsigned int slot;

	for (slot = 0; slot < MANY; slot++)
		if (alive[slot] == vfio)
			alive[slot] = NULL;
	close_files(vfio);
}

void vfio_close_all(void)
{
	unsigned int slot;

	for (slot = 0; slot < MANY; slot++) {
		if (alive[slot])
			close_files(alive[slot]);
		alive[slot] = NULL;
	}
}

long vfio_ioctl(struct vfio *vfio, unsigned long command, void *argument)
{
	return sys(ioctl(vfio->device, command, argument));
}

long vfio_reset(struct vfio *vfio)
{
	return vfio_ioctl(vfio, VFIO_DEVICE_RESET, NULL);
}

static long map_type1(struct vfio *vfio, uint64_t start)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)vfio->vm->memory + start,
		.iova = start,
		.size = VM_CHUNK,
	};

	return sys(ioctl(vfio->container, VFIO_IOMMU_MAP_DMA, &map));
}

static long map_ioas(struct vfio *vfio, uint64_t start)
{
	struct iommu_ioas_map map = {
		.size = sizeof(map),
		.flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
			 IOMMU_IOAS_MAP_WRITEABLE,
		.ioas_id = vfio->ioas,
		.user_va = (uintptr_t)vfio->vm->memory + start,
		.length = VM_CHUNK,
		.iova = start,
	};

	return sys(ioctl(vfio->container, IOMMU_IOAS_MAP, &map));
}

long vfio_map(struct vfio *vfio, unsigned int chunk)
{
	uint64_t start = chunk * VM_CHUNK;

	return vfio->path == VFIO_BY_GROUP ? map_type1(vfio, start) : map_ioas(vfio, start);
}

long vfio_unmap(struct vfio *vfio, unsigned int chunk)
{
	struct vfio_iommu_type1_dma_unmap type1 = { .argsz = sizeof(type1),
						    .iova = chunk * VM_CHUNK, .size = VM_CHUNK };
	struct iommu_ioas_unmap ioas = {
		.size = sizeof(ioas), .ioas_id = vfio->ioas, .iova = chunk * VM_CHUNK,
		.length = VM_CHUNK,
	};

	if (vfio->path == VFIO_BY_GROUP)
		return sys(ioctl(vfio->container, VFIO_IOMMU_UNMAP_DMA, &type1));
	return sys(ioctl(vfio->container, IOMMU_IOAS_UNMAP, &ioas));
}

int vfio_event_new(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	need(fd >= 0, "the test can make an eventfd");
	return fd;
}

void vfio_look_for_irq(struct vfio *vfio, unsigned int index)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	if (!vfio_ioctl(vfio, VFIO_DEVICE_GET_INFO, &info) && index >= info.num_irqs)
		ktap_not_there("interrupt index %u of the device", index);
}

long vfio_arm(struct vfio *vfio, unsigned int index, int eventfd)
{
	struct {
		struct vfio_irq_set set;
		int32_t fd;
	} arm = {
		.set = {
			.argsz = sizeof(struct vfio_irq_set) + sizeof(int32_t),
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			.index = index,
			.count = 1,
		},
		.fd = eventfd,
	};
	long rc;

	rc = vfio_ioctl(vfio, VFIO_DEVICE_SET_IRQS, &arm);
	if (rc == -EINVAL)
		vfio_look_for_irq(vfio, index);
	return rc;
}

long long vfio_events(int fd)
{
	eventfd_t value;

	return eventfd_read(fd, &value) ? 0 : (long long)value;
}
