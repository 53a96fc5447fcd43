/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfio - what a VMM does with the mediated device; group with container, or device file with
 * iommufd, behind one face
 */
#ifndef VFIO_AP_TESTS_VFIO_H
#define VFIO_AP_TESTS_VFIO_H

#include <stdbool.h>
#include <stdint.h>

#include "mdev.h"
#include "vm.h"

enum vfio_path { VFIO_BY_GROUP, VFIO_BY_CDEV };

struct vfio {
	enum vfio_path path;
	struct vm *vm;
	int device;
	int container;			/* or the iommufd */
	int group;
	uint32_t ioas;
	bool bound;
};

bool vfio_has(enum vfio_path path);
void vfio_need(enum vfio_path path);		/* skips the case where the kernel lacks it */
const char *vfio_path_name(enum vfio_path path);

/*
 * In the order of QEMU: file known to KVM, device opened, guest memory mapped at iova =
 * guest address. vm may be NULL. vfio_try() gives 0 or the -errno of the step that opens
 * the device, vfio_open() must work.
 */
long vfio_try(struct vfio **vfio, enum vfio_path path, struct mdev *mdev, struct vm *vm);
struct vfio *vfio_open(enum vfio_path path, struct mdev *mdev, struct vm *vm);
void vfio_close(struct vfio *vfio);
void vfio_close_all(void);

/* How long the last open (by group) or close of a device took, without what is around it. */
long long vfio_took_ns(void);

long vfio_ioctl(struct vfio *vfio, unsigned long command, void *argument);
long vfio_reset(struct vfio *vfio);
long vfio_map(struct vfio *vfio, unsigned int chunk);
long vfio_unmap(struct vfio *vfio, unsigned int chunk);

/* The device leaves the address space of its iommufd, and joins it again. */
long vfio_detach(struct vfio *vfio);
long vfio_attach(struct vfio *vfio);

/* Says so in the report if the driver has no interrupt of that index. */
void vfio_look_for_irq(struct vfio *vfio, unsigned int index);

/* Eventfds: fd -1 disarms. */
int vfio_event_new(void);
long vfio_arm(struct vfio *vfio, unsigned int index, int eventfd);
long long vfio_events(int eventfd);		/* signals since the last look */

#endif
