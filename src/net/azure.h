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

/*
 * A key that Azure gives to an identity, so that it signs such addresses without the account's: for a user delegation SAS. A
 * zeroed one is none yet. Texts as Azure spells them.
 */
struct azure_delegation {
	char *object_id, *tenant_id, *starts, *ends, *service, *version;
	struct buffer key;		/* decoded */
	int64_t ends_at;		/* microseconds since 1970; 0: none */
};

struct azure_identity;
/*
 * Asks for one unless it has one that lasts until `until_us`, at most a day from now. `service`: address of the account's blob
 * service. 1; 0 when the identity may not have one (403: it lacks generateUserDelegationKey, which Storage Blob Data
 * Contributor has).
 */
int azure_delegation_renew(struct azure_delegation *delegation, const char *service, struct azure_identity *identity, struct web *web,
			   int64_t now_us, int64_t until_us, struct err *e) WARN_UNUSED;
void azure_delegation_done(struct azure_delegation *delegation);
void azure_grant_sign_delegated(const struct azure_grant *grant, const struct azure_delegation *delegation, struct buffer *ret_query);

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
