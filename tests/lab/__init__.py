# SPDX-License-Identifier: GPL-2.0-or-later
"""A router, its devices and what lies beyond, in network namespaces.

Used by the demo, the standing lab, the tests and the measurements. Needs root,
iproute2 and nothing that is not in Debian."""
