/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: PQAPs that reset queues or set up interrupts, and APCB updates.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio_ap

#if !defined(VFIO_AP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VFIO_AP_TRACE_H

#include <linux/tracepoint.h>
#include <asm/ap.h>

#include "vfio_ap_matrix.h"

/* Status word of a PQAP */
DECLARE_EVENT_CLASS(vfio_ap_status,
		    TP_PROTO(u16 apqn, struct ap_queue_status status),
		    TP_ARGS(apqn, status),
		    TP_STRUCT__entry(__field(u16, apqn)
				     __field(u32, status)
		    ),
		    TP_fast_assign(union ap_queue_status_reg reg = {
					   .status = status
				   };

				   __entry->apqn = apqn;
				   __entry->status = reg.value;
		    ),
		    TP_printk("%02x.%04x status=%08x", __entry->apqn >> 8,
			      __entry->apqn & 255, __entry->status)
);

DEFINE_EVENT(vfio_ap_status, vfio_ap_zapq,
	     TP_PROTO(u16 apqn, struct ap_queue_status status),
	     TP_ARGS(apqn, status));

DEFINE_EVENT(vfio_ap_status, vfio_ap_tapq,
	     TP_PROTO(u16 apqn, struct ap_queue_status status),
	     TP_ARGS(apqn, status));

DEFINE_EVENT(vfio_ap_status, vfio_ap_irq_on,
	     TP_PROTO(u16 apqn, struct ap_queue_status status),
	     TP_ARGS(apqn, status));

DEFINE_EVENT(vfio_ap_status, vfio_ap_irq_off,
	     TP_PROTO(u16 apqn, struct ap_queue_status status),
	     TP_ARGS(apqn, status));

/* Update of a guest's APCB; @shadow is the new shadow APCB */
TRACE_EVENT(vfio_ap_apcb,
	    TP_PROTO(const char *mdev, const struct ap_matrix *shadow),
	    TP_ARGS(mdev, shadow),
	    TP_STRUCT__entry(__string(mdev, mdev)
			     __array(u64, apm, AP_MASK_WORDS)
			     __array(u64, aqm, AP_MASK_WORDS)
			     __array(u64, adm, AP_MASK_WORDS)
	    ),
	    TP_fast_assign(ASSIGN_MDEV();
			   memcpy(__entry->apm, shadow->apm.w,
				  sizeof(__entry->apm));
			   memcpy(__entry->aqm, shadow->aqm.w,
				  sizeof(__entry->aqm));
			   memcpy(__entry->adm, shadow->adm.w,
				  sizeof(__entry->adm));
	    ),
	    TP_printk("%s apm=%016llx%016llx%016llx%016llx aqm=%016llx%016llx%016llx%016llx adm=%016llx%016llx%016llx%016llx",
		      __get_str(mdev),
		      __entry->apm[0], __entry->apm[1],
		      __entry->apm[2], __entry->apm[3],
		      __entry->aqm[0], __entry->aqm[1],
		      __entry->aqm[2], __entry->aqm[3],
		      __entry->adm[0], __entry->adm[1],
		      __entry->adm[2], __entry->adm[3])
);

#endif /* VFIO_AP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vfio_ap_trace
#include <trace/define_trace.h>
