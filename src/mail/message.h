/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail as it goes over the wire (RFC 5322, RFC 2045, RFC 2047): UTF-8 text in quoted-printable, so that every line is
 * short ASCII. Names and subjects may hold anything: what is not plain is encoded, so no text can begin another header.
 */
#ifndef MAIL_MESSAGE_H
#define MAIL_MESSAGE_H

#include <stdint.h>

#include "base/buffer.h"
#include "mail/address.h"

struct message {
	const char *id;			/* in front of the sender's domain in Message-ID: letters, digits and '-' */
	struct mailbox from;
	const char *to;			/* address_valid */
	const char *subject, *text;	/* UTF-8; the lines of the text end with \n */
	int64_t date_us;		/* microseconds since 1970, UTC */
};

/* Appends headers and body; every line ends with CRLF. */
void message_write(const struct message *m, struct buffer *out);

#endif
