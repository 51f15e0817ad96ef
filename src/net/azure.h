/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who calls Azure: SharedKey signatures with a storage account's key, and tokens of an application (client secret or federated
 * token) or of the machine's managed identity, as the AZURE_… variables say. Tokens are asked for again before they end.
 */
#ifndef NET_AZURE_H
#define NET_AZURE_H

#include <stdint.h>

#include "net/web.h"

struct azure_request {
	const char *method;
	const char *path;	/* percent-encoded, as in the address */
	const char *query;	/* percent-encoded name=value pairs in order of their names, "" for none */
	size_t length;		/* of the body */
	const char *md5;	/* Content-MD5 as base64; "" for none */
	const char *type;	/* Content-Type; "" for none */
	const char *unmodified_since;	/* If-Unmodified-Since; "" for none */
	const char *lines;	/* "x-ms-name: value" lines in order of their names, each ending in '\n' */
};

/* The value of the header Authorization (SharedKey, versions from 2015-02-21 on). `key`: the account's, decoded. */
void azure_sign(const struct azure_request *request, const char *account, struct span key, struct buffer *ret_value);
/* RFC 1123, as x-ms-date and conditions want it. */
#define AZURE_DATE 30
void azure_date(int64_t time_us, char ret_text[AZURE_DATE]);

/* What a signed address lets its holder do with one blob: a service SAS. */
struct azure_grant {
	const char *account, *container, *blob;	/* blob: its name as it is, not encoded */
	const char *permissions;		/* of "racwd", in that order */
	int64_t expires_us;			/* microseconds since 1970, rounded down to seconds */
	bool https;				/* only over HTTPS */
};

/* Appends the query that grants it, without the leading '?'. `key`: the account's, decoded. */
void azure_grant_sign(const struct azure_grant *grant, struct span key, struct buffer *ret_query);

struct azure_identity;

/*
 * Tokens for one resource, such as "https://storage.azure.com". `authority`: who gives them to an application unless
 * AZURE_AUTHORITY_HOST says; NULL: that of the public cloud. Nothing is asked for yet.
 */
struct azure_identity *azure_identity_open(const char *resource, const char *authority);
/* The authority of the cloud to which a domain, such as "blob.core.usgovcloudapi.net", belongs; NULL: the public one. */
const char *azure_authority(const char *domain);
void azure_identity_close(struct azure_identity *identity);
/* The token to use now; it lives until the next call. ERR_UNAVAILABLE with a sentence when there is none. */
int azure_token(struct azure_identity *identity, struct web *web, int64_t now_us, const char **ret_token, struct err *e) WARN_UNUSED;
/* Asks for another at the next call: a service said that this one has ended. */
void azure_forget(struct azure_identity *identity);

#endif
