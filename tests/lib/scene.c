// SPDX-License-Identifier: GPL-2.0-only
/* scene - the usual cast: a mediated device, a VM, and the device opened for it */

#include "apemu.h"
#include "apqn.h"
#include "guest.h"
#include "ktap.h"
#include "scene.h"

struct scene scene_with(enum vfio_path path, int adapter, int domain)
{
	struct scene scene;

	vfio_need(path);
	scene.mdev = mdev_create();
	mdev_assign(scene.mdev, adapter, domain);
	scene.vm = vm_create();
	scene.vfio = vfio_open(path, scene.mdev, scene.vm);
	return scene;
}

struct scene scene_quiet(enum vfio_path path, int adapter, int domain)
{
	struct scene scene;

	apemu_need();
	scene = scene_with(path, adapter, domain);
	need_guest_rc(guest_tapq(scene.vm, APQN(adapter, domain)), AP_OK,
		      "the guest has the queue that was assigned");
	apemu_do("log clear");
	return scene;
}
