/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PQAP: the functions that the driver issues.
 *
 * The wrappers of asm/ap.h changed their types between kernels, the
 * instruction did not. Function codes, register use and the status word are
 * those of asm/ap.h; response codes those of the AP bus.
 */
#ifndef VFIO_AP_PQAP_H
#define VFIO_AP_PQAP_H

#include <linux/bits.h>
#include <linux/types.h>

#define PQAP_FC_TAPQ	0x00
#define PQAP_FC_ZAPQ	0x02
#define PQAP_FC_AQIC	0x03

/* The status word, in the right half of general register 1 */
#define AP_STATUS_QUEUE_EMPTY	BIT(31)
#define AP_STATUS_IRQ_ENABLED	BIT(24)
#define AP_STATUS_RESPONSE	GENMASK(23, 16)

/* General register 1 of AQIC, see union ap_qirq_ctrl in asm/ap.h */
#define AQIC_IR			BIT_ULL(47)
#define AQIC_GISC_SHIFT		40
#define AQIC_GISA		GENMASK_ULL(30, 4)
#define AQIC_ISC		GENMASK_ULL(2, 0)

static inline u8 ap_status_response(u32 status)
{
	return (status & AP_STATUS_RESPONSE) >> 16;
}

static inline u32 ap_status_make(u8 response)
{
	return (u32)response << 16;
}

static inline u32 pqap(u8 fc, u16 apqn, u64 gr1, u64 gr2)
{
	unsigned long reg0 = (unsigned long)fc << 24 | apqn;

	asm volatile("lgr	0,%[reg0]\n\t"
		     "lgr	1,%[reg1]\n\t"
		     "lgr	2,%[reg2]\n\t"
		     ".insn	rre,0xb2af0000,0,0\n\t"
		     "lgr	%[reg1],1"
		     : [reg1] "+&d" (gr1)
		     : [reg0] "d" (reg0), [reg2] "d" (gr2)
		     : "cc", "memory", "0", "1", "2");
	return (u32)gr1;
}

static inline u32 pqap_tapq(u16 apqn)
{
	return pqap(PQAP_FC_TAPQ, apqn, 0, 0);
}

static inline u32 pqap_zapq(u16 apqn)
{
	return pqap(PQAP_FC_ZAPQ, apqn, 0, 0);
}

static inline u32 pqap_aqic(u16 apqn, u64 control, phys_addr_t nib)
{
	return pqap(PQAP_FC_AQIC, apqn, control, nib);
}

#endif /* VFIO_AP_PQAP_H */
