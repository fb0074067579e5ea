/* SPDX-License-Identifier: Apache-2.0
 *
 * From the slot the host names a device by to the disk or network interface the guest's kernel made of it.
 */
#ifndef HRUN_DEVICES_H
#define HRUN_DEVICES_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

/* Writes "/dev/<name>" of the virtio-blk disk in virtio-mmio slot `slot` to `path`. A slot whose device the
 * driver did not take when the machine booted (a template's) is bound first. `sysfs` is where sysfs is. */
int device_disk_path(const char* sysfs, uint32_t slot, char* path, size_t size, struct err* err);

/* Copies the name of the interface of the virtio-net device in `slot`, bound first if need be. */
int device_interface(const char* sysfs, uint32_t slot, char* name, size_t size, struct err* err);

/* Has the driver let go of the virtio-net device in `slot`, if it has one: its interface is gone. */
int device_interface_release(const char* sysfs, uint32_t slot, struct err* err);

/* Has the driver let go of whatever device is in `slot`; one that has none is fine. */
int device_release(const char* sysfs, uint32_t slot, struct err* err);

/* Has the driver take a slot's device if it has not yet. */
int device_bind(const char* sysfs, uint32_t slot, struct err* err);

/* The status of the device in `slot` as the device has it, VIRTIO_CONFIG_S_*; 0 of one that the driver has not set up, or of none. */
uint32_t device_status(const char* sysfs, uint32_t slot);

#endif
