#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# make-users.sh -- the users of conf/sysusers.d/cordon.conf, on machines
# without systemd-sysusers. What exists already is left as it is.
set -eu

conf=$(dirname "$0")/../../conf/sysusers.d/cordon.conf

while read -r type name rest; do
	case $type in
	g)
		getent group "$name" >/dev/null || groupadd --system "$name"
		;;
	u)
		getent group "$name" >/dev/null || groupadd --system "$name"
		getent passwd "$name" >/dev/null || useradd --system --gid "$name" --no-create-home \
		    --home-dir /nonexistent --shell /usr/sbin/nologin --comment "${name#_}" "$name"
		;;
	esac
done <"$conf"
