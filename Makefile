# SPDX-License-Identifier: GPL-2.0-only
# Makefile - convenience for users and developers; what the module is built of is in Kbuild

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.12
OUT ?= $(CURDIR)/out
INSTALL_MOD_PATH ?= $(DESTDIR)

ifdef CACHE
export VFIO_AP_LAB_CACHE := $(abspath $(CACHE))
endif

# What the lab's scripts read from the environment.
export KERNEL OUT RUN TEST CASE JOBS V W C CF

LAB := tests/lab
KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(KSRC),KSRC=$(abspath $(KSRC))) $(if $(INSTALL_MOD_PATH),INSTALL_MOD_PATH=$(INSTALL_MOD_PATH))
RELEASE = $(shell $(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease)

# The kernel must have these, or the module cannot be loaded.
NEEDED := AP KVM VFIO VFIO_MDEV

modules: preflight ## build vfio_ap.ko against KDIR
	@$(KBUILD) modules

modules_install: modules ## install it below /lib/modules, in updates/, where it goes before the kernel's own
	@$(KBUILD) modules_install

install: modules_install ## the same

uninstall: preflight ## remove the installed module
	rm -f $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/updates/vfio_ap.ko*
	depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(RELEASE)

demo: ## the main job as a story, in a virtual machine: needs no IBM Z
	@$(LAB)/demo

check: ## all tests, in virtual machines; RUN=name or TEST=name for some of them
	@$(LAB)/check

check-headers: ## the driver against the s390x kernels that Debian ships: layouts, linux-headers, symbols; part of check
	@$(LAB)/packages
	@tests/headers/check

static: ## static checks of all sources, with the tools that this machine has
	@checks/static "$$($(LAB)/kernel source)" "$$($(LAB)/kernel)"

lab-shell: ## a shell in the lab's virtual machine; ^A x ends it
	@$(LAB)/shell

cache-info: ## what the lab keeps outside this clone, and where
	@$(LAB)/kernel info

lab-refresh: ## take the newest kernel source of the archive for the next build
	@$(LAB)/kernel refresh

lab-clean: ## forget the lab's kernels, sources and downloads
	@$(LAB)/kernel clean

clean: ## remove everything that was built in this clone
	@rm -rf $(OUT)
	@if [ -e $(KDIR)/Makefile ]; then $(KBUILD) clean; fi

help: ## this text
	@echo 'Targets:'
	@sed -n 's/^\([a-z_-]*\):[^#]*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | \
		awk -F '|' '{ printf "  %-16s- %s\n", $$1, $$2 }'
	@echo
	@echo 'Variables for the module:'
	@echo '  KDIR=dir        - headers or build tree of the kernel it is for'
	@echo '                    [$(KDIR): $(if $(wildcard $(KDIR)/Makefile),found,not there)]'
	@echo '  KSRC=dir        - source tree of that kernel, if KDIR has only its headers [$(KSRC)]'
	@echo '  ARCH=s390 CROSS_COMPILE=s390x-linux-gnu-  - when this is not an s390x machine'
	@echo '  INSTALL_MOD_PATH=dir or DESTDIR=dir       - install below dir'
	@echo '  V=1, W=1, C=1   - as for every kernel build: commands, more warnings, sparse'
	@echo
	@echo 'Variables for the lab (check, demo, lab-shell):'
	@echo '  KERNEL=version  - kernel to test with [$(KERNEL)], one of:' $$(awk '!/^#/ && $$3 != "-" { print $$1 }' $(LAB)/kernels)
	@echo '  RUN=name        - only this line of tests/runs:' $$(sed -n 's/^\([^#|]*[^ |#]\) *|.*/\1/p' tests/runs 2>/dev/null)
	@echo '  TEST=name       - only this test of tests/cases'
	@echo '  CASE=text       - only cases whose names have this in them'
	@echo '  JOBS=n          - parallel compilers [number of processors]'
	@echo '  CACHE=dir       - kernels and downloads [$${XDG_CACHE_HOME:-~/.cache}/vfio-ap-lab]'
	@echo '  OUT=dir         - modules, programs, images and logs [out]'

# Say what is missing before a compiler does.
preflight:
	@if [ ! -e $(KDIR)/Makefile ]; then \
		echo 'There is no kernel to build for in KDIR=$(KDIR)'; \
		echo '  Debian, Ubuntu:  apt install linux-headers-'$$(uname -r); \
		echo '  Fedora, RHEL:    dnf install kernel-devel-'$$(uname -r); \
		echo '  SUSE:            zypper install kernel-default-devel'; \
		echo '  or set KDIR=<headers or build tree>. To see the module work on a machine that is no IBM Z: make demo'; \
		exit 1; \
	fi >&2
	@config=$(KDIR)/include/config/auto.conf; \
	if [ ! -e $$config ]; then \
		echo 'The kernel in KDIR=$(KDIR) is not configured: make oldconfig modules_prepare there'; exit 1; \
	fi >&2; \
	if ! grep -qx CONFIG_S390=y $$config; then \
		echo 'The kernel in KDIR=$(KDIR) is not for s390x; on a machine that is no IBM Z: make demo'; exit 1; \
	fi >&2; \
	for option in $(NEEDED); do \
		grep -q "^CONFIG_$$option=[ym]$$" $$config || \
			echo "note: the kernel in KDIR has no CONFIG_$$option; vfio_ap.ko will not load there" >&2; \
	done

.PHONY: modules modules_install install uninstall demo check check-headers static lab-shell cache-info lab-refresh lab-clean clean help preflight
.DEFAULT_GOAL := modules
