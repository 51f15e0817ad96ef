/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses a call may lead to whose target a user named: those of the public internet, and the networks that
 * an administrator allows besides. Asked with the address that is about to be connected to, after names are resolved.
 */
#ifndef NET_GUARD_H
#define NET_GUARD_H

#include <sys/socket.h>

#include "base/arena.h"
#include "base/buffer.h"

/* The first `bits` of an IPv6 address; IPv4 as ::ffff:a.b.c.d. */
struct network {
	unsigned char address[16];
	unsigned bits;
};

struct guard {
	struct network *networks;	/* allowed although they are not public */
	size_t count;
};

/* Reads "10.0.0.0/8, fd00::/8, 127.0.0.1" into the arena; NULL or "": none. -1 with a sentence that names `setting`. */
int guard_read(const char *setting, const char *text, struct arena *arena, struct guard *ret_guard,
	       struct err *e) WARN_UNUSED;
/* False for loopback, private, link-local, shared, documentation, multicast and reserved addresses that are not allowed. */
bool guard_allows(const struct guard *guard, const struct sockaddr *address);
/* The same for a host of an URL; true when it is a name, which only its addresses can tell about. */
bool guard_allows_host(const struct guard *guard, const char *host);

#endif
