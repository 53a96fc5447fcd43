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
export KERNEL OUT RUN TEST CASE CLIENTS PEER BREAK JOBS V W C CF GROUP WHO ROUNDS LEAVE_OUT

LAB := tests/lab
VERSION := $(shell cat VERSION)
RELEASE = $(or $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null),$(notdir $(patsubst %/build,%,$(KDIR))))

# mdev.ko, if the kernel has none and the user built one; its symbols are those that we need.
MDEV ?= $(OUT)/mdev/$(RELEASE)
KBUILD_EXTRA_SYMBOLS ?= $(wildcard $(MDEV)/Module.symvers)

# What every kernel build, ours and mdev's, is told
BUILD = $(if $(INSTALL_MOD_PATH),INSTALL_MOD_PATH=$(INSTALL_MOD_PATH))
KBUILD = $(MAKE) -C $(KDIR) M=$(CURDIR) $(if $(KSRC),KSRC=$(abspath $(KSRC))) \
	$(if $(BTF),BTF=$(abspath $(BTF))) $(if $(BTF_BASE),BTF_BASE=$(abspath $(BTF_BASE))) \
	$(if $(KBUILD_EXTRA_SYMBOLS),KBUILD_EXTRA_SYMBOLS=$(KBUILD_EXTRA_SYMBOLS)) $(BUILD)
# Header packages have no System.map, so Kbuild leaves depmod out.
DEPMOD = PATH=$$PATH:/usr/sbin:/sbin depmod $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) $(RELEASE)

# The kernel must have these, or the module cannot be loaded.
NEEDED := AP KVM VFIO

modules: preflight ## build vfio_ap.ko against KDIR
	@$(KBUILD) modules

modules_install: modules ## install it below /lib/modules, in updates/, where it goes before the kernel's own
	@$(KBUILD) modules_install
	@if [ -e $(MDEV)/mdev.ko ]; then $(MAKE) -C $(KDIR) M=$(MDEV) CONFIG_VFIO_MDEV=m $(BUILD) modules_install; fi
	$(DEPMOD)

install: modules_install ## the same

# Also when the headers are gone
uninstall: ## remove the installed modules
	@if [ ! -d $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE) ]; then \
		echo 'There are no modules of a kernel $(RELEASE) (KDIR=$(KDIR))' >&2; exit 1; \
	fi
	rm -f $(addprefix $(INSTALL_MOD_PATH)/lib/modules/$(RELEASE)/updates/,vfio_ap.ko* mdev.ko*)
	$(DEPMOD)

mdev: ## build mdev.ko out of the kernel source KSRC, for a kernel that was built without it
	@packaging/mdev $(KDIR) '$(or $(KSRC),/usr/src)' $(MDEV)

check-host: ## what a kernel lacks, and what to do; CONFIG=file for another one than that which runs
	@packaging/check-host $(CONFIG)

sign: ## sign what was built, with KEY=private key and CERT=certificate
	@packaging/sign $(KDIR) '$(KEY)' '$(CERT)' vfio_ap.ko $(wildcard $(MDEV)/mdev.ko)

DKMS := vfio-ap/$(VERSION)
DKMS_SOURCE := $(DESTDIR)/usr/src/vfio-ap-$(VERSION)

dkms-install: dkms-source ## let DKMS build and install it, now and for every kernel that comes
	@if [ -z '$(DESTDIR)' ]; then dkms add $(DKMS); dkms install $(DKMS); fi

dkms-uninstall: ## take it from DKMS again
	-@if [ -z '$(DESTDIR)' ]; then dkms remove $(DKMS) --all; fi
	rm -rf $(DKMS_SOURCE)

# What DKMS builds from; the Debian package has the same.
dkms-source:
	install -d $(DKMS_SOURCE)/packaging
	cp -R Kbuild Makefile VERSION COPYING vfio_ap_*.[ch] compat $(DKMS_SOURCE)
	cp packaging/mdev packaging/sign packaging/check-host $(DKMS_SOURCE)/packaging
	sed 's/#MODULE_VERSION#/$(VERSION)/' packaging/dkms.conf >$(DKMS_SOURCE)/dkms.conf

# What DKMS calls. Kernels of Debian come without mdev; the package linux-source is in /usr/src.
dkms-build:
	@grep -q '^CONFIG_VFIO_MDEV=[ym]$$' $(KDIR)/include/config/auto.conf || packaging/mdev $(KDIR) /usr/src $(MDEV)
	@$(MAKE) --no-print-directory modules

htmldocs: ## build the documents as HTML, into out/html
	@if ! command -v sphinx-build >/dev/null; then \
		echo 'htmldocs: sphinx-build is missing (Debian, Ubuntu: python3-sphinx; Fedora, RHEL, SUSE: python3-sphinx)' >&2; exit 1; \
	fi
	@sphinx-build -q -W --keep-going -n -b html Documentation $(OUT)/html
	@echo 'htmldocs: $(OUT)/html/index.html'

diagram: ## draw Documentation/architecture.svg from the text in design.rst
	@python3 Documentation/diagram.py Documentation/design.rst Documentation/architecture.svg

# What git tracks at the last commit. The same commit gives the same file.
dist: ## the source of the last commit as an archive with its checksum, in out/dist
	@packaging/dist $(OUT)/dist

deb: ## build a Debian package for DKMS
	@packaging/deb $(OUT)/deb

rpm: ## build a package for DKMS on RHEL, Fedora and SUSE
	@packaging/rpm $(OUT)/rpm

kernel-tree: ## put the driver in the place of vfio_ap in the kernel source KSRC
	@packaging/kernel-tree '$(KSRC)'

kernel-patch: ## print the same as a patch against KSRC
	@packaging/kernel-tree '$(KSRC)' patch

demo: ##lab the main job as a story, in a virtual machine: needs no IBM Z
	@$(LAB)/demo

check: ##lab all tests, in virtual machines; RUN=name or TEST=name for some of them
	@$(LAB)/check

bench: ##lab measure this module and the vfio_ap of the kernel's own source; data in out/results; GROUP=name for a part
	@$(LAB)/bench

selftest: ##lab judge the verdict of the lab: real boots with real faults, damaged logs; some minutes
	@$(LAB)/packages
	@$(LAB)/image >/dev/null
	@$(LAB)/selftest | $(LAB)/results total

check-headers: ##lab the driver against the s390x kernels that Debian ships: layouts, linux-headers, symbols; part of check
	@$(LAB)/packages checks
	@tests/headers/check
	@tests/headers/layouts

check-clients: ##lab QEMU, libvirt, mdevctl and s390-tools of Debian with the driver, in virtual machines; RUN=name or TEST=name
	@SUITE=clients $(LAB)/check

compare: ##lab the same tests with this module and with the kernel's own, case by case; data in out/results
	@$(LAB)/compare

release-notes: ##lab write Documentation/results.md from the data of make compare and make bench
	@$(LAB)/results release-notes

breakages: ##lab break the driver, promise by promise, and see the tests fail; BREAK=R-04 for some of them
	@$(LAB)/breakages

static: ##lab static checks of all sources, tools that are missing are installed
	@$(LAB)/packages checks
	@NEWER_CROSS_COMPILE="$$($(LAB)/compiler)" NEWER_SPARSE="$$($(LAB)/sparse)" checks/static "$$($(LAB)/kernel source)" "$$($(LAB)/kernel)"

static-selftest: ##lab break each rule of the static checks once, and see it found; some minutes
	@$(LAB)/packages checks
	@NEWER_CROSS_COMPILE="$$($(LAB)/compiler)" NEWER_SPARSE="$$($(LAB)/sparse)" checks/selftest "$$($(LAB)/kernel source)" "$$($(LAB)/kernel)"

context: ##lab clang's context analysis of the driver with a 7.x kernel: locks on every path; half a minute and 600 MB of clang
	@checks/context

check-packages: ##lab build the Debian package and install it in an s390x Debian in a directory: root, a quarter of an hour
	@tests/packages/chroot

lab-shell: ##lab a shell in the lab's virtual machine; ^A x ends it
	@$(LAB)/shell

cache-info: ##lab what the lab keeps outside this clone, and where
	@$(LAB)/kernel info

lab-refresh: ##lab take the newest kernel source and clients of the archive for the next build
	@$(LAB)/kernel refresh
	@$(LAB)/clients refresh

lab-clean: ##lab forget the lab's kernels, sources and downloads
	@$(LAB)/kernel clean

clean: ## remove everything that was built in this clone
	@rm -rf $(OUT)
	@if [ -e $(KDIR)/Makefile ]; then $(KBUILD) clean; fi

# targets MARK: those that have it in front of their text
targets = sed -n 's/^\([a-z_-]*\):[^\#]*\#\#$(1) \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '|' '{ printf "  %-16s- %s\n", $$1, $$2 }'

help: ## this text
	@echo 'Targets:'
	@$(call targets)
	@echo '  demo, check     - the module in a virtual machine, without an IBM Z; these and others: make help-lab'
	@echo
	@echo 'Variables:'
	@echo '  KDIR=dir        - headers or build tree of the kernel it is for'
	@echo '                    [$(KDIR): $(if $(wildcard $(KDIR)/Makefile),found,not there)]'
	@echo '  KSRC=dir        - source tree of that kernel, if KDIR has only its headers [$(KSRC)]'
	@echo '  BTF=file        - type information of that kernel, if neither its source nor its image is at hand: vmlinux, vmlinuz, raw BTF,'
	@echo '                    or ap.ko, then with BTF_BASE=<that of vmlinux> [$(BTF)]'
	@echo '  ARCH=s390 CROSS_COMPILE=s390x-linux-gnu-  - when this is not an s390x machine'
	@echo '  INSTALL_MOD_PATH=dir or DESTDIR=dir       - install below dir'
	@echo '  CONFIG=file     - kernel configuration for check-host [that of the running kernel]'
	@echo '  KEY=, CERT=     - what to sign with: private key (PEM or pkcs11: URI) and certificate'
	@echo '  V=1, W=1, C=1   - as for every kernel build: commands, more warnings, sparse'

help-lab: ## the same of the lab: tests, measurements, checks
	@echo 'Targets:'
	@$(call targets,lab)
	@echo
	@echo 'Variables:'
	@echo '  KERNEL=version  - kernel to test with [$(KERNEL)], one of:' $$(awk '!/^#/ && $$3 != "-" { print $$1 }' compat/kernels)
	@echo '  RUN=name        - only this line of tests/runs:' $$(sed -n 's/^\([^#|]*[^ |#]\) *|.*/\1/p' tests/runs 2>/dev/null)
	@echo '  TEST=name       - only this test of tests/cases; name:3+5 only its cases 3 and 5'
	@echo '  PEER=yes        - the vfio_ap of the kernel itself instead of ours (check, check-clients)'
	@echo '  CLIENTS=name    - make check: these lines of tests/clients/runs as well (stable: six minutes, 57 MB of packages once)'
	@echo '  CASE=text       - only cases whose names have this in them'
	@echo '  BREAK=R-04      - only breakages whose names begin so (make breakages)'
	@echo '  GROUP=name      - only this part of make bench: matrix-4 matrix-32 matrix-64 resets host aqic stuck memory locks'
	@echo '  WHO=module, WHO=in-kernel  - make bench and make compare with one of the two only'
	@echo '  ROUNDS=1, LEAVE_OUT=       - make bench: measured once; without these groups (make compare: lines)'
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
	done; \
	if ! grep -q '^CONFIG_VFIO_MDEV=[ym]$$' $$config && [ -z '$(KBUILD_EXTRA_SYMBOLS)' ]; then \
		echo 'note: the kernel in KDIR has no CONFIG_VFIO_MDEV: first "make mdev KSRC=<its source>", or the link fails' >&2; \
	fi

.PHONY: help-lab htmldocs diagram dist rpm kernel-tree kernel-patch modules modules_install install uninstall mdev check-host sign deb check-packages context
.PHONY: dkms-install dkms-uninstall dkms-source dkms-build demo check check-clients selftest bench compare release-notes check-headers breakages static lab-shell cache-info lab-refresh lab-clean clean help preflight static-selftest
.DEFAULT_GOAL := modules
