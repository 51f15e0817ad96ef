/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One mail to one server over SMTP (RFC 5321), by libcurl: TLS from the first byte or by STARTTLS, at least TLS 1.2, with a
 * certificate that is verified against the authorities of the system or of SSL_CERT_FILE. A connection for each mail.
 */
#ifndef MAIL_SMTP_H
#define MAIL_SMTP_H

#include "mail/mail.h"

#define SMTP_SECONDS 60		/* a mail takes no longer */
#define SMTP_WORDS 400		/* of an answer or a problem, with its NUL */

enum smtp_outcome {
	SMTP_TAKEN,		/* the server has it */
	SMTP_LATER,		/* 4xx: the server takes this mail later, perhaps */
	SMTP_NEVER,		/* 5xx: the server will never take this mail */
	SMTP_UNUSABLE		/* no server, no TLS, wrong certificate, wrong password: no mail can be sent now */
};

/* `ret_words`: the server's last answer, or what went wrong; no control characters. */
enum smtp_outcome smtp_send(const struct mail_config *config, const char *to, struct span message, char ret_words[SMTP_WORDS]);

#endif
