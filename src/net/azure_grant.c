/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses that grant one blob for a while, signed with the account's key, or with one that Azure gives an identity for that. */
#include <gnutls/crypto.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "net/azure.h"
#include "net/xml.h"

#define VERSION "2021-12-02"	/* whose rules the text to be signed follows, and that answers the request */
#define ANSWER_LIMIT (64 << 10)
#define EARLIER_US (300 * 1000000LL)	/* clocks differ */
#define KEY_US (24 * 3600 * 1000000LL)	/* a key is asked for so long; seven days are allowed */
#define TIME 32

static void put_form(struct buffer *form, const char *name, const char *value)
{
	buffer_printf(form, "%s%s=", form->length ? "&" : "", name);
	web_escape(span_of(value), false, form);
}

static void time_of(int64_t us, char ret_text[TIME])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret_text, TIME, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/*
 * Members that we do not use are empty lines: the start; behind `who`, which says by whose key, the address of the client; and at
 * the end snapshot, encryption scope, and five headers.
 */
static void sign(const struct azure_grant *g, const char *who, struct span key, const char *more, struct buffer *ret_query)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT, signature = BUFFER_INIT;
	unsigned char mac[SHA256_BYTES];
	char expires[TIME];

	time_of(g->expires_us, expires);
	buffer_printf(&text, "%s\n\n%s\n/blob/%s/%s/%s\n%s", g->permissions, expires, g->account, g->container, g->blob, who);
	buffer_printf(&text, "\n%s\n%s\nb\n\n\n\n\n\n\n", g->https ? "https" : "", VERSION);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data, key.length, text.data, text.length, mac) < 0)
		abort();
	base64_encode((struct span){ (const char *)mac, sizeof(mac) }, &signature);
	put_form(ret_query, "sv", VERSION);
	if (g->https)
		put_form(ret_query, "spr", "https");
	put_form(ret_query, "se", expires);
	put_form(ret_query, "sr", "b");
	put_form(ret_query, "sp", g->permissions);
	buffer_puts(ret_query, more);
	put_form(ret_query, "sig", signature.data);
}

void azure_grant_sign(const struct azure_grant *g, struct span key, struct buffer *ret_query)
{
	/* One line: no stored policy. */
	sign(g, "\n", key, "", ret_query);
}

void azure_grant_sign_delegated(const struct azure_grant *g, const struct azure_delegation *d, struct buffer *ret_query)
{
	_cleanup_(buffer_done) struct buffer who = BUFFER_INIT, more = BUFFER_INIT;
	const char *const members[][2] = { { "skoid", d->object_id }, { "sktid", d->tenant_id }, { "skt", d->starts }, { "ske", d->ends },
					   { "sks", d->service },     { "skv", d->version } };

	buffer_putc(&more, '&');
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		buffer_printf(&who, "%s\n", members[i][1]);
		buffer_printf(&more, "%s%s=", i ? "&" : "", members[i][0]);
		web_escape(span_of(members[i][1]), false, &more);
	}
	/* Nobody whom it is limited to, whether authorized or not, and no correlation. */
	buffer_puts(&who, "\n\n\n");
	sign(g, who.data, buffer_span(&d->key), more.data, ret_query);
}

void azure_delegation_done(struct azure_delegation *d)
{
	buffer_wipe(&d->key);
	free(d->object_id);
	free(d->tenant_id);
	free(d->starts);
	free(d->ends);
	free(d->service);
	free(d->version);
	*d = (struct azure_delegation){ 0 };
}

static char *copy_of(struct span xml, const char *name)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *text = xml_text(xml, name, &arena);

	return xstrdup(text ? text : "");
}

static int take(struct azure_delegation *d, struct span xml, int64_t ends_at, struct err *e)
{
	_cleanup_(freep) char *value = copy_of(xml, "Value");

	azure_delegation_done(d);
	d->object_id = copy_of(xml, "SignedOid");
	d->tenant_id = copy_of(xml, "SignedTid");
	d->starts = copy_of(xml, "SignedStart");
	d->ends = copy_of(xml, "SignedExpiry");
	d->service = copy_of(xml, "SignedService");
	d->version = copy_of(xml, "SignedVersion");
	d->ends_at = ends_at;
	if (*value && *d->ends && base64_decode(span_of(value), &d->key))
		return 1;
	azure_delegation_done(d);
	return err_unavailable(e, "Azure gave a key to sign addresses with that cannot be read");
}

static int ask(struct azure_delegation *d, const char *service, const char *token, struct web *web, int64_t now_us, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, body = BUFFER_INIT;
	_cleanup_(buffer_wipe) struct buffer headers = BUFFER_INIT;
	char starts[TIME], ends[TIME];
	int rc;

	time_of(now_us - EARLIER_US, starts);
	time_of(now_us + KEY_US, ends);
	buffer_printf(&url, "%s?restype=service&comp=userdelegationkey", service);
	buffer_printf(&headers, "x-ms-version: " VERSION "\nContent-Type: application/xml\nAuthorization: Bearer %s\n", token);
	buffer_printf(&body, "<?xml version=\"1.0\" encoding=\"utf-8\"?><KeyInfo><Start>%s</Start><Expiry>%s</Expiry></KeyInfo>", starts, ends);
	rc = web_call_again(web, &(struct web_request){ "POST", url.data, &headers, buffer_span(&body), ANSWER_LIMIT, 20, 40 }, &answer, e);
	if (rc < 0)
		return -1;
	if (answer.status == 403)
		return 0;
	if (answer.status != 200)
		return err_unavailable(e, "Azure gives no key to sign addresses with: answer %d", answer.status);
	rc = take(d, buffer_span(&answer.body), now_us + KEY_US, e);
	if (answer.body.data)
		wipe(answer.body.data, answer.body.length);
	return rc;
}

int azure_delegation_renew(struct azure_delegation *d, const char *service, struct azure_identity *identity, struct web *web, int64_t now_us,
			   int64_t until_us, struct err *e)
{
	const char *token;

	if (d->ends_at >= until_us)
		return 1;
	return azure_token(identity, web, now_us, &token, e) < 0 ? -1 : ask(d, service, token, web, now_us, e);
}
