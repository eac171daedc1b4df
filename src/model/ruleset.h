/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ruleset.h -- the kernel's side of a policy, as data: one description, which
 * enforce/ turns into netlink messages, print into nft's syntax, and evaluate runs.
 * Nothing is stored: chains, sets and elements are functions of the image,
 * the stations and the kernel's features.
 *
 * The chains are a fixed skeleton plus up to two short ones per class;
 * whatever changes while the appliance runs is a set element. */
#ifndef CORDON_MODEL_RULESET_H
#define CORDON_MODEL_RULESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/field.h"
#include "model/image.h"
#include "model/station.h"

#define RULESET_TABLE "cordon"

/* ---- sets and maps ------------------------------------------------------ */

/* _CLASS kinds exist once per class, direction and schedule, _PEER kinds for
 * each other class as well, as far as a reach of the class needs them. */
enum set_kind {
	SET_NONE,
	SET_DEVICE_INTERFACES,
	SET_IDENTITY4, SET_IDENTITY6,		/* mac . address -> mark */
	SET_IDENTITY4_PORT, SET_IDENTITY6_PORT,	/* mac . address . interface -> mark */
	SET_IDENTITY6_NET, SET_IDENTITY6_NET_PORT,	/* first half of the address . mac -> mark */
	SET_IDENTITY4_ROUTED, SET_IDENTITY6_ROUTED,	/* address . interface -> mark */
	SET_IDENTITY_MAC, SET_IDENTITY_MAC_PORT,
	SET_HARDWARE,				/* every device's own mac -> mark */
	SET_HOLDER4, SET_HOLDER6,		/* address -> mark */
	SET_CURRENT,				/* number << 8 -> present mark */
	SET_CLASS_OF,				/* number << 8 -> class number: see station_class */
	/* class number -> its chains. The kernel walks all verdict maps when one
	 * gets an element: so there is one per class, and none per device. */
	SET_CHAINS, SET_CHAINS_R, SET_CHAINS_IN, SET_CHAINS_IN_R,
	SET_LIVE, SET_LIVE_MAC, SET_LIVE_PORT,	/* mark; mac . mark; mac . interface . mark */
	SET_LIVE_ROUTED,			/* interface . mark */
	SET_QUARANTINED,			/* marks: they meet no other device, and no service */
	SET_TOTAL, SET_OVER,			/* by device number, counted, one element each */
	SET_SERVICES, SET_SERVICES_ICMP, SET_SERVICES_ICMP6,
	SET_BOOTSTRAP,				/* sport . dport of DHCP, when it is a named service */
	/* filled by packets */
	SET_SEEN,
	SET_BUDGET, SET_BUDGET_STRANGER,
	SET_CONNECTIONS,
	SET_RATE,
	SET_REFUSED4, SET_REFUSED6, SET_REFUSED4_PORTLESS, SET_REFUSED6_PORTLESS,
	SET_STRANGER4, SET_STRANGER6, SET_STRANGER4_PORTLESS, SET_STRANGER6_PORTLESS,
	SET_INVALID, SET_CROWDED, SET_HASTY,
	SET_ASKING,				/* unknown MACs that ask for an address */
	/* filled by packets, and there while a policy is staged; the first by device */
	SET_NEWLY_REFUSED, SET_NEWLY_REFUSED4, SET_NEWLY_REFUSED6,
	SET_NEWLY_REFUSED4_PORTLESS, SET_NEWLY_REFUSED6_PORTLESS,
	SET_NEWLY_ALLOWED, SET_NEWLY_ALLOWED4, SET_NEWLY_ALLOWED6,
	SET_NEWLY_ALLOWED4_PORTLESS, SET_NEWLY_ALLOWED6_PORTLESS,
	/* per schedule */
	SET_WINDOWS,
	/* per class */
	SET_ALLOW4_CLASS, SET_ALLOW6_CLASS,	/* address . protocol . port */
	SET_ICMP4_CLASS, SET_ICMP6_CLASS,	/* address . type */
	SET_ICMP4_R_CLASS, SET_ICMP6_R_CLASS,	/* the answers to those types */
	SET_PROTO4_CLASS, SET_PROTO6_CLASS,	/* address . protocol */
	SET_ANY4_CLASS, SET_ANY6_CLASS,		/* address . every protocol */
	SET_MEMBERS4_CLASS, SET_MEMBERS6_CLASS,
	/* per class and class */
	SET_PORTS_PEER,				/* protocol . port */
	SET_ICMP4_PEER, SET_ICMP6_PEER, SET_ICMP4_R_PEER, SET_ICMP6_R_PEER,
	SET_PROTO_PEER,
	SET_KINDS
};

enum set_data { DATA_NONE, DATA_MARK, DATA_CLASS, DATA_CHAIN };

/* What each element does at every look-up that finds it. */
enum set_state {
	STATE_NONE,
	STATE_COUNTER,
	STATE_COUNTER_SAMPLE,	/* counter, then a limit: beyond it the rule goes no further */
	STATE_OVER_BUDGET,	/* matches only beyond the rate */
	STATE_CONNECTIONS,	/* matches only when more than n connections stand */
	STATE_OVER_RATE,	/* matches only beyond the class's rate */
};

/* What there is one of each for. */
enum set_scope { SCOPE_TABLE, SCOPE_SCHEDULE, SCOPE_CLASS, SCOPE_PEER };

#define SET_FIELDS_MAX 5	/* nft's listing holds no more in a concatenation */

struct set_info {
	const char *name;	/* stem; the number follows for _CLASS and _PEER kinds */
	enum field fields[SET_FIELDS_MAX];
	enum set_data data;
	enum set_state state;
	enum set_scope scope;
	bool interval;
	bool edges;		/* an interval is two elements: its begin, and with `end' what follows it */
	bool dynamic;		/* filled by packets: bounded by size */
	bool per_device;	/* grows with the devices: see ruleset_capacity */
	uint32_t size;
	uint32_t timeout_s;
};

const struct set_info *set_info(enum set_kind);

struct set_ref {
	uint16_t kind;		/* enum set_kind */
	uint8_t inbound;	/* SCOPE_CLASS: REACH_IN's */
	uint8_t staged;		/* of a policy that stands beside the enforced one */
	uint32_t number;	/* class number; SCOPE_SCHEDULE: its number */
	uint32_t other;		/* SCOPE_PEER: class number */
	uint32_t schedule;	/* SCOPE_CLASS, SCOPE_PEER: 0: always */
};

/* <0, 0, >0. */
int set_ref_order(const struct set_ref *, const struct set_ref *);

static inline bool
set_ref_equal(const struct set_ref *a, const struct set_ref *b)
{
	return set_ref_order(a, b) == 0;
}

#define SET_NAMELEN 64
/* "live", "allow4_12", "in_allow4_12", "allow4_12_at_3", "ports_12_7"; class 0 is
 * written "quarantine". Returns buf. */
const char *set_name(const struct set_ref *, char buf[SET_NAMELEN]);

/* ---- chains ------------------------------------------------------------- */

enum chain_kind {
	CHAIN_NONE,
	CHAIN_FORWARD, CHAIN_INPUT, CHAIN_OUTPUT,
	CHAIN_FROM_DEVICE, CHAIN_TO_DEVICE, CHAIN_LATERAL, CHAIN_LATERAL_REFUSED, CHAIN_LATERAL_REPLY,
	CHAIN_JUDGE, CHAIN_JUDGE_REPLY, CHAIN_WHO, CHAIN_WHO6, CHAIN_HOLDER,
	CHAIN_REPLY,
	CHAIN_INPUT_DEVICE, CHAIN_ASKING, CHAIN_OUTPUT_DEVICE, CHAIN_OUTPUT_REPLY,
	CHAIN_OUTPUT_ICMP, CHAIN_OUTPUT_ERROR,
	CHAIN_ADMIT, CHAIN_CROWDED, CHAIN_HASTY, CHAIN_HASTY_RECORD,
	CHAIN_REFUSED, CHAIN_REJECTED, CHAIN_AUDITED, CHAIN_STRAY, CHAIN_INVALID,
	CHAIN_RECORD, CHAIN_RECORD_PORT, CHAIN_OVER,
	CHAIN_NEW4, CHAIN_NEW6, CHAIN_NEW4_PORTLESS, CHAIN_NEW6_PORTLESS,
	CHAIN_STRANGER, CHAIN_STRANGER_RECORD, CHAIN_STRANGER_PORT, CHAIN_STRANGER_OVER,
	CHAIN_STRANGER_NEW4, CHAIN_STRANGER_NEW6, CHAIN_STRANGER_NEW4_PORTLESS, CHAIN_STRANGER_NEW6_PORTLESS,
	/* there while a policy is staged */
	CHAIN_STAGED_ADMITTED, CHAIN_STAGED_JUDGE, CHAIN_STAGED_REFUSED, CHAIN_STAGED_ASK,
	CHAIN_STAGED_REFUSES, CHAIN_STAGED_REFUSES_PORT, CHAIN_STAGED_ALLOWS, CHAIN_STAGED_ALLOWS_PORT,
	CHAIN_CLASS,		/* where may this class go? */
	CHAIN_CLASS_R,		/* the same, mirrored, for answers whose mark is not live */
	CHAIN_CLASS_IN,		/* who may reach it? Only of classes with such rules */
	CHAIN_CLASS_IN_R,
	CHAIN_CLASS_ADMIT,	/* of classes with a rate */
	CHAIN_KINDS
};

struct chain_ref {
	uint16_t kind;
	uint16_t staged;
	uint32_t number;	/* class number */
};

#define CHAIN_NAMELEN 48
const char *chain_name(const struct chain_ref *, char buf[CHAIN_NAMELEN]);

enum chain_hook { HOOK_NONE, HOOK_INPUT, HOOK_FORWARD, HOOK_OUTPUT };

/* HOOK_NONE for a plain chain; *policy_drop is set for base chains. */
enum chain_hook chain_hook(enum chain_kind, bool *policy_drop);

/* How far behind the appliance's hook priority. */
int chain_behind(enum chain_kind);

/* NFLOG groups, counted from the appliance's base. */
enum log_group {
	LOG_REFUSED,		/* a new refused key, and a sample of known ones */
	LOG_INVALID,
	LOG_SIGHTED,		/* a device's new connections come in by this interface */
	LOG_CROWDED,
	LOG_HASTY,		/* more new connections than the class's rate */
	LOG_DISCOVERED,		/* an unknown device asks for an address */
};

/* ---- rules -------------------------------------------------------------- */

enum counter_kind {
	COUNTER_NONE,
	COUNTER_TRANSIT,	/* forwarded between interfaces that are no device's: refused */
	COUNTER_STRAY,		/* answers and inbound packets that belong to nothing allowed */
	COUNTER_INVALID,
	COUNTER_STRANGERS,
	COUNTER_STRANGERS_OVER,
	COUNTER_OVER,
	COUNTER_DISCOVERY,	/* broadcast and multicast to the appliance */
	COUNTER_KINDS
};
const char *counter_name(enum counter_kind);

enum expr_kind {
	EXPR_END,
	EXPR_MATCH,		/* field op value */
	EXPR_CT_STATE,		/* ct state in mask */
	EXPR_LOOKUP,		/* fields (not) in set; counts where the set counts */
	EXPR_ANY_OF,		/* field is one of a few constant values */
	EXPR_MARK_FROM_MAP,	/* meta mark set <fields> map @map; no entry: the rule ends */
	/* The packet's priority serves to keep its class for a moment: a look-up in
	 * what a look-up gave has no syntax in nft, and no listing. */
	EXPR_CLASS_FROM_MAP,	/* meta priority set <fields> map @map; no entry: the rule ends */
	EXPR_FORGET_CLASS,	/* meta priority set value: 0, or what is no class's number */
	EXPR_VERDICT_FROM_MAP,	/* <fields> vmap @map; no entry: the rule ends */
	EXPR_SET_MARK,		/* meta mark set value */
	EXPR_NUMBER_MARK,	/* meta mark set meta mark and 0xffffff00: a mark that is never live */
	EXPR_SAVE_MARK,		/* ct mark set meta mark */
	EXPR_ADD,		/* add @set { fields }, with the set's state; fails when it is full */
	EXPR_COUNTER,		/* named counter */
	EXPR_LOG,		/* NFLOG, group = base + value */
	EXPR_REJECT,		/* drop, and tell the sender: value 1 by a TCP reset, 0 by ICMP */
	EXPR_ACCEPT,
	EXPR_DROP,
	EXPR_GOTO,
	EXPR_JUMP,
	EXPR_RETURN,
};

enum ct_state_mask { CTS_INVALID = 1, CTS_ESTABLISHED = 2, CTS_RELATED = 4, CTS_NEW = 8 };

#define EXPR_VALUES_MAX 8

struct expr {
	enum expr_kind kind;
	bool negate;			/* EXPR_MATCH, EXPR_LOOKUP */
	bool inbound;			/* left out where no class lets anybody in */
	enum field fields[SET_FIELDS_MAX];	/* FIELD_NONE ends */
	struct set_ref set;
	struct chain_ref chain;
	enum counter_kind counter;
	uint32_t value;			/* EXPR_MATCH, EXPR_SET_MARK, EXPR_LOG, EXPR_CT_STATE, EXPR_REJECT; what
					 * EXPR_ADD's set takes: connections, or new ones per second */
	uint32_t burst;			/* EXPR_ADD to a set with a rate */
	uint8_t values[EXPR_VALUES_MAX];	/* EXPR_ANY_OF, one byte each */
	uint8_t n_values;
};

#define RULE_EXPRS_MAX 6
struct rule_ir {
	struct expr exprs[RULE_EXPRS_MAX + 1];	/* EXPR_END ends */
};

#define CHAIN_RULES_MAX 24	/* of the skeleton's chains; class chains are bounded by their peers */

/* ---- the whole ---------------------------------------------------------- */

/* Probed once at start; each can be forced to false for tests. */
struct features {
	bool owner_persist;	/* both table flags: others get EPERM, and the table outlives us */
	bool connlimit;		/* ct count in sets */
};

struct ruleset {
	const struct image *image;
	const struct station *stations;	/* parallel to image->devices */
	struct features features;
	uint64_t absent;		/* bit k: set kind k is empty under this image, and no rule asks it */
#define ABSENT_INBOUND	(1ULL << 63)	/* no class lets anybody in */
	const struct image *candidate;	/* stands staged beside it, its parts told with all others; or NULL */
	bool staged;			/* these are the parts of a staged policy: of classes and devices alone */
	const struct image *enforced;	/* staged: whose devices the stations are parallel to; or NULL */
};

/* Borrows image and stations. */
struct ruleset ruleset_make(const struct image *, const struct station *, struct features);

/* Of the image's i-th device. Of a staged policy's: where it stands under the
 * enforced one, or NULL when that does not have it. */
static inline const struct station *
ruleset_station(const struct ruleset *rs, size_t i)
{
	const struct image_device *d;

	if (rs->stations == NULL)
		return NULL;
	if (!rs->staged)
		return &rs->stations[i];
	d = image_device(rs->enforced, rs->image->devices[i].number);
	return d != NULL ? &rs->stations[d - rs->enforced->devices] : NULL;
}

/* By whose rules the device is judged, or asked about when it is a staged
 * policy's: that one is not asked about quarantine, and a restricted device
 * would be restricted under it as well. st: as ruleset_station has it. */
uint32_t ruleset_class(const struct ruleset *, const struct image_device *, const struct station *st);

/* The parts of the staged policy alone; there are none without a candidate. */
struct ruleset ruleset_candidate(const struct ruleset *);

/* A staged policy is asked by the numbers of the enforced one: does a device have
 * the same in both, wherever both have it? */
bool staged_numbers_agree(const struct image *enforced, const struct image *candidate);

/* Which set tells the device by this address of its own (NULL: by its MAC alone),
 * and which says that its admitted flows stand. */
enum set_kind ruleset_identity_set(const struct image_device *, const struct image_address *);
enum set_kind ruleset_live_set(const struct image_device *);

/* The size that sets with elements of devices are made with: a power of two
 * with room for every device of the image twice (a transaction adds before it
 * takes away). A set of a known size is a plain hash table and costs a packet
 * less than half of one that can grow; a policy that outgrows it is loaded
 * whole, in one transaction. */
uint32_t ruleset_capacity(const struct image *);

/* What a set is declared with; 0: unbounded. */
uint32_t set_size(const struct set_ref *, uint32_t capacity);

/* Is it there only while a policy is staged? */
bool set_is_staged(const struct set_ref *);
bool chain_is_staged(const struct chain_ref *);

/* Told with EXPR_ADD: the same for the netlink back end and the printer. */
#define SAMPLE_PER_MINUTE	6	/* messages about a key that is known */
#define SAMPLE_BURST		1
#define BUDGET_PER_SECOND	10	/* new keys of one device: enough for what a healthy one does wrong */
#define BUDGET_BURST		256

/* Each calls fn until it returns non-zero, which is then the answer. */
typedef int set_fn(void *arg, const struct set_ref *);
typedef int chain_fn(void *arg, const struct chain_ref *);
typedef int rule_fn(void *arg, const struct rule_ir *);

int ruleset_each_set(const struct ruleset *, set_fn *, void *arg);
int ruleset_each_chain(const struct ruleset *, chain_fn *, void *arg);
int ruleset_each_rule(const struct ruleset *, const struct chain_ref *, rule_fn *, void *arg);

/* The sets and chains of one class alone, in the same order. */
int ruleset_each_class_set(const struct ruleset *, const struct image_class *, set_fn *, void *arg);
int ruleset_each_class_chain(const struct ruleset *, const struct image_class *, chain_fn *, void *arg);

/* ---- elements ----------------------------------------------------------- */

#define KEY_MAX 64

struct element {
	struct set_ref set;
	bool end;			/* sets of edges only: an interval ends before this key */
	uint8_t key_len;
	uint8_t key[KEY_MAX];		/* fields one after another, each padded to 4 */
	uint8_t key_end[KEY_MAX];	/* interval sets only: the last of the box, inclusive */
	uint32_t mark;			/* DATA_MARK; DATA_CLASS: a class number */
	struct chain_ref chain;		/* DATA_CHAIN */
};

typedef int element_fn(void *arg, const struct element *);

/* The elements of the appliance itself, of one class, of one device at its
 * station. Together they are all of the table's static content. */
int elements_of_appliance(const struct ruleset *, element_fn *, void *arg);
int elements_of_class(const struct ruleset *, const struct image_class *, element_fn *, void *arg);
int elements_of_device(const struct ruleset *, const struct image_device *, const struct station *,
    element_fn *, void *arg);
int ruleset_each_element(const struct ruleset *, element_fn *, void *arg);

/* Same set, same key (and key_end); and the same with its data. */
bool element_same_key(const struct element *, const struct element *);
bool element_equal(const struct element *, const struct element *);

#endif
