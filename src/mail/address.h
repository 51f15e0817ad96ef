/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that mail is sent to and from: the plain ones of RFC 5321, in ASCII, without quotes, comments and literals. */
#ifndef MAIL_ADDRESS_H
#define MAIL_ADDRESS_H

#include "base/arena.h"
#include "base/err.h"

/* Whether a text is local@domain and nothing else: what is, can stand in a command or a header as it is. */
bool address_valid(const char *text);

struct mailbox {
	const char *name;	/* for people, UTF-8; "" when there is none */
	const char *address;
};

/* Reads `local@domain` or `Name <local@domain>`: 1, or 0 when it is neither. Lives in the arena. */
int mailbox_parse(const char *text, struct arena *arena, struct mailbox *ret_mailbox);

#endif
