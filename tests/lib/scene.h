/* SPDX-License-Identifier: GPL-2.0-only */
/* scene - the usual cast: a mediated device, a VM, and the device opened for it */
#ifndef VFIO_AP_TESTS_SCENE_H
#define VFIO_AP_TESTS_SCENE_H

#include "mdev.h"
#include "vfio.h"
#include "vm.h"

struct scene {
	struct mdev *mdev;
	struct vm *vm;
	struct vfio *vfio;
};

/* One adapter and one domain assigned, guest attached. */
struct scene scene_with(enum vfio_path path, int adapter, int domain);

/*
 * The same as set-up for the story: must have reached the guest, and the hardware log begins
 * after it.
 */
struct scene scene_quiet(enum vfio_path path, int adapter, int domain);

#endif
