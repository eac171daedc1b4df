#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# replay-captures.sh -- captures of real, hostile and malformed traffic through
# the packet decoder. They are other people's and live beside the project.
data=${srcdir:-.}/../shared/data/pcap
if ! [ -d "$data" ]; then
	echo "no captures in $data"
	exit 77
fi
find "$data" -type f -size -16M \( -name '*.pcap' -o -name '*.dat' \) -print0 |
    xargs -0 -r ./tests/fuzz/fuzz_packet
