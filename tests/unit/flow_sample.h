/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow_sample.h -- a small policy as an image made by hand: two devices of one
 * class (one of them bound to lan0), and one with its MAC alone in another. */
#ifndef CORDON_TESTS_FLOW_SAMPLE_H
#define CORDON_TESTS_FLOW_SAMPLE_H

#include <string.h>
#include <sys/socket.h>

#include "model/image.h"

static const char sample_text[] = "\0sensor-1\0sensor-2\0camera-1\0sensor\0camera\0quarantine\0lan0\0lan1";
enum {
	AT_SENSOR_1 = 1, AT_SENSOR_2 = 10, AT_CAMERA_1 = 19, AT_SENSOR = 28, AT_CAMERA = 35,
	AT_QUARANTINE = 42, AT_LAN0 = 53, AT_LAN1 = 58,
};

static struct image_header sample_header;
static struct image_appliance sample_appliance = { .log_group = 40, .window_s = 300 };
static struct image_interface sample_interfaces[] = { { AT_LAN0 }, { AT_LAN1 } };
static struct image_class sample_classes[] = {
	{ .number = 0, .name = AT_QUARANTINE },
	{ .number = 1, .name = AT_SENSOR },
	{ .number = 2, .name = AT_CAMERA },
};
static struct image_address sample_addresses[] = {
	{ .family = AF_INET, .prefix = 32, .bytes = { 10, 10, 0, 11 } },
	{ .family = AF_INET6, .prefix = 128, .bytes = { 0xfd, 0x10, [15] = 0x11 } },
	{ .family = AF_INET, .prefix = 32, .bytes = { 10, 10, 0, 12 } },
};
static struct image_device sample_devices[] = {
	{ .number = 0x11, .name = AT_SENSOR_1, .class_number = 1, .interface = AT_LAN0,
	  .mac = { 2, 0, 0, 0, 0, 0x11 }, .addresses = { 0, 2 } },
	{ .number = 0x12, .name = AT_SENSOR_2, .class_number = 1,
	  .mac = { 2, 0, 0, 0, 0, 0x12 }, .addresses = { 2, 1 } },
	{ .number = 0x13, .name = AT_CAMERA_1, .class_number = 2,
	  .mac = { 2, 0, 0, 0, 0, 0x13 } },
};

static inline void
sample_image(struct image *im)
{
	memset(im, 0, sizeof(*im));
	im->header = &sample_header;
	im->text = sample_text;
	im->appliance = &sample_appliance;
	im->interfaces = sample_interfaces;
	im->classes = sample_classes;
	im->addresses = sample_addresses;
	im->devices = sample_devices;
	im->n[IMAGE_TEXT] = sizeof(sample_text);
	im->n[IMAGE_APPLIANCE] = 1;
	im->n[IMAGE_INTERFACES] = 2;
	im->n[IMAGE_CLASSES] = 3;
	im->n[IMAGE_ADDRESSES] = 3;
	im->n[IMAGE_DEVICES] = 3;
}

#endif
