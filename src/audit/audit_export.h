/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log as text for other programs: CSV (RFC 4180) and CEF, a line an event. */
#ifndef AUDIT_AUDIT_EXPORT_H
#define AUDIT_AUDIT_EXPORT_H

#include "audit/audit.h"

/* Appends the line of column names. */
void audit_csv_head(struct buffer *out);
void audit_csv_line(const struct audit_entry *a, struct buffer *out);
/* `host` is the server's name, `version` the program's. */
void audit_cef_line(const struct audit_entry *a, const char *organization_id, const char *host, const char *version,
		    struct buffer *out);

#endif
