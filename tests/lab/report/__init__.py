# SPDX-License-Identifier: GPL-2.0-only
"""What the lab makes of the logs of a boot: verdict, totals, comparison, figures, pictures.

The modules, each with one subject:

    ktap        the lines of a KTAP stream: plans, results, records
    kernellog   the kernel log: complaints, and how it ended
    boot        the files that a boot leaves, and the tests in its report
    verdict     does a boot count?
    outcomes    which of a boot's results say something about the driver
    records     results as data: JSON Lines
    stream      a KTAP stream as it comes, with the total at its end
    campaign    the boots of `make compare`
    bench       the boots of `make bench`
    summary     the promises and the figures, side by side
    plot        the picture
    page        the page of a release
    command     the command line
"""
