/* SPDX-License-Identifier: GPL-2.0-or-later */
/* station.h -- where each device stands now, and the mark that says so. */
#ifndef CORDON_MODEL_STATION_H
#define CORDON_MODEL_STATION_H

#include <stdbool.h>
#include <stdint.h>

/* What the policy cannot know: it changes while the appliance runs. */
struct station {
	uint32_t number;	/* device number, never used again for another device */
	uint8_t generation;	/* 1..255; a new one makes every admitted flow be judged again */
	uint8_t quarantined;	/* 0 or 1 */
	uint32_t limited;	/* number of the class that it stands in instead of its own; 0: its own */
};

struct image;
struct image_class;
struct image_device;

/* Its effective class: by whose rules the device lives at that station. In
 * quarantine: where its own class's devices stand in quarantine, or 0; else the
 * one it is limited to, where the image has that; else its own. */
uint32_t station_class(const struct image *, const struct image_device *, const struct station *);

/* The class that a restricted device of this image stands in, for struct
 * station: what the authority of its newest certificate says that says one; 0:
 * none does. */
uint32_t station_limit(const struct image *, const struct image_device *);

/* limited of a station, under another image that has the device: the same class
 * where an authority of the device names it, or the one that is named now; 0 stays 0. */
uint32_t station_limited_under(const struct image *, const struct image_device *, uint32_t limited);

/* Do devices stand in this class because they are in quarantine? */
bool class_is_quarantine(const struct image_class *);

#define MARK_NUMBER_MASK 0xffffff00U

static inline uint32_t
station_mark(const struct station *s)
{
	return s->number << 8 | s->generation;
}

/* The next generation. *wrapped tells that marks of long ago come again: flows
 * that carry them must be deleted from conntrack before. */
static inline uint8_t
station_next_generation(uint8_t generation, bool *wrapped)
{
	*wrapped = generation == 255;
	return *wrapped ? 1 : (uint8_t)(generation + 1);
}

#endif
