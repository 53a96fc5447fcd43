/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Constants of the AP bus's private header, for kernels whose header is not
 * available or lacks some of them. The AP architecture defines most of them.
 * tests/headers compares them with the headers of known kernels. The compiler
 * compares them as well if both headers are included.
 */
#ifndef VFIO_AP_COMPAT_AP_BUS_CONSTANTS_H
#define VFIO_AP_COMPAT_AP_BUS_CONSTANTS_H

#define AP_DEVICES	256
#define AP_DOMAINS	256

#define AP_RESPONSE_NORMAL			0x00
#define AP_RESPONSE_Q_NOT_AVAIL			0x01
#define AP_RESPONSE_RESET_IN_PROGRESS		0x02
#define AP_RESPONSE_DECONFIGURED		0x03
#define AP_RESPONSE_CHECKSTOPPED		0x04
#define AP_RESPONSE_BUSY			0x05
#define AP_RESPONSE_INVALID_ADDRESS		0x06
#define AP_RESPONSE_OTHERWISE_CHANGED		0x07
#define AP_RESPONSE_INVALID_GISA		0x08
#define AP_RESPONSE_Q_BOUND_TO_ANOTHER		0x09
#define AP_RESPONSE_STATE_CHANGE_IN_PROGRESS	0x0A
#define AP_RESPONSE_Q_NOT_BOUND			0x0B
#define AP_RESPONSE_Q_FULL			0x10
#define AP_RESPONSE_INDEX_TOO_BIG		0x11
#define AP_RESPONSE_NO_FIRST_PART		0x13
#define AP_RESPONSE_MESSAGE_TOO_BIG		0x15
#define AP_RESPONSE_REQ_FAC_NOT_INST		0x16
#define AP_RESPONSE_Q_BIND_ERROR		0x30
#define AP_RESPONSE_Q_NOT_AVAIL_FOR_ASSOC	0x31
#define AP_RESPONSE_Q_NOT_EMPTY			0x32
#define AP_RESPONSE_BIND_LIMIT_EXCEEDED		0x33
#define AP_RESPONSE_INVALID_ASSOC_SECRET	0x34
#define AP_RESPONSE_ASSOC_SECRET_NOT_UNIQUE	0x35
#define AP_RESPONSE_ASSOC_FAILED		0x36
#define AP_RESPONSE_INVALID_DOMAIN		0x42

/* Value of assoc_idx in struct ap_queue without an associated secret */
#define ASSOC_IDX_INVALID	0x10000

#define AP_DEVICE_TYPE_CEX4	10
#define AP_DEVICE_TYPE_CEX5	11
#define AP_DEVICE_TYPE_CEX6	12
#define AP_DEVICE_TYPE_CEX7	13
#define AP_DEVICE_TYPE_CEX8	14

#endif /* VFIO_AP_COMPAT_AP_BUS_CONSTANTS_H */
