/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: what the hardware is asked, and what a guest gets.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vfio_ap

#if !defined(VFIO_AP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define VFIO_AP_TRACE_H

#include <linux/tracepoint.h>

#include "vfio_ap_matrix.h"

TRACE_EVENT(vfio_ap_reset,
	    TP_PROTO(u16 apqn, bool zapq, u32 status),
	    TP_ARGS(apqn, zapq, status),
	    TP_STRUCT__entry(__field(u16, apqn)
			     __field(bool, zapq)
			     __field(u32, status)
	    ),
	    TP_fast_assign(__entry->apqn = apqn;
			   __entry->zapq = zapq;
			   __entry->status = status;
	    ),
	    TP_printk("%02x.%04x %s status=%08x", __entry->apqn >> 8,
		      __entry->apqn & 255, __entry->zapq ? "zapq" : "tapq",
		      __entry->status)
);

TRACE_EVENT(vfio_ap_apcb,
	    TP_PROTO(const char *mdev, const struct ap_matrix *shadow),
	    TP_ARGS(mdev, shadow),
	    TP_STRUCT__entry(__string(mdev, mdev)
			     __array(u64, apm, AP_MASK_WORDS)
			     __array(u64, aqm, AP_MASK_WORDS)
			     __array(u64, adm, AP_MASK_WORDS)
	    ),
	    TP_fast_assign(__assign_str(mdev);
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

TRACE_EVENT(vfio_ap_irq,
	    TP_PROTO(u16 apqn, bool on, u32 status),
	    TP_ARGS(apqn, on, status),
	    TP_STRUCT__entry(__field(u16, apqn)
			     __field(bool, on)
			     __field(u32, status)
	    ),
	    TP_fast_assign(__entry->apqn = apqn;
			   __entry->on = on;
			   __entry->status = status;
	    ),
	    TP_printk("%02x.%04x %s status=%08x", __entry->apqn >> 8,
		      __entry->apqn & 255, __entry->on ? "on" : "off",
		      __entry->status)
);

#endif /* VFIO_AP_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE vfio_ap_trace
#include <trace/define_trace.h>
