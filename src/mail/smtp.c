/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/smtp.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

struct session {
	struct span left;		/* of the message */
	char answer[SMTP_WORDS];	/* the last line that the server sent */
	bool greeted;			/* it let us in: a refusal concerns the mail */
};

static void copy_words(const char *text, size_t length, char ret_words[SMTP_WORDS])
{
	size_t n = length < SMTP_WORDS - 1 ? length : SMTP_WORDS - 1;

	/* Nothing is cut within a character, and a server's bytes that are no ASCII are not believed to be UTF-8. */
	for (size_t i = 0; i < n; i++)
		ret_words[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	ret_words[n] = '\0';
}

static size_t give(char *to, size_t size, size_t count, void *context)
{
	struct session *s = context;
	size_t n = size * count < s->left.length ? size * count : s->left.length;

	memcpy(to, s->left.data, n);
	s->left = (struct span){ s->left.data + n, s->left.length - n };
	return n;
}

static size_t take_line(char *data, size_t size, size_t count, void *context)
{
	struct session *s = context;
	size_t n = size * count;

	while (n && (data[n - 1] == '\r' || data[n - 1] == '\n'))
		n--;
	if (n && data[0] == '2')
		s->greeted = true;
	/* "Goodbye" after a refusal says nothing. */
	if (n < 3 || memcmp(data, "221", 3))
		copy_words(data, n, s->answer);
	return size * count;
}

static void set_up(CURL *c, const struct mail_config *config, struct session *s, char *problem)
{
	const char *authorities = getenv("SSL_CERT_FILE");

	curl_easy_setopt(c, CURLOPT_URL, config->url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 10L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)SMTP_SECONDS);
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(config->plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (authorities && *authorities)
		curl_easy_setopt(c, CURLOPT_CAINFO, authorities);
	if (config->username) {
		curl_easy_setopt(c, CURLOPT_USERNAME, config->username);
		curl_easy_setopt(c, CURLOPT_PASSWORD, config->password);
	}
	curl_easy_setopt(c, CURLOPT_ERRORBUFFER, problem);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_line);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, s);
}

static void set_mail(CURL *c, const struct mail_config *config, struct curl_slist *recipients, struct session *s)
{
	curl_easy_setopt(c, CURLOPT_MAIL_FROM, config->sender.address);
	curl_easy_setopt(c, CURLOPT_MAIL_RCPT, recipients);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, give);
	curl_easy_setopt(c, CURLOPT_READDATA, s);
}

/* Refusals that are about who sends and how, not about this mail: RFC 4954 §6, RFC 3207 §4. */
static bool concerns_session(long code)
{
	return code == 530 || code == 534 || code == 535 || code == 538;
}

static enum smtp_outcome outcome_of(CURLcode rc, long code, const struct session *s)
{
	if (rc == CURLE_OK)
		return SMTP_TAKEN;
	/* What libcurl answers when MAIL, RCPT, DATA or the message is refused. */
	if (!s->greeted || (rc != CURLE_SEND_ERROR && rc != CURLE_WEIRD_SERVER_REPLY) || concerns_session(code))
		return SMTP_UNUSABLE;
	return code >= 500 && code < 600 ? SMTP_NEVER : code >= 400 && code < 500 ? SMTP_LATER : SMTP_UNUSABLE;
}

static void explain(enum smtp_outcome outcome, CURLcode rc, const struct session *s, const char *problem,
		    char ret_words[SMTP_WORDS])
{
	const char *why = *problem ? problem : curl_easy_strerror(rc);
	char text[SMTP_WORDS + CURL_ERROR_SIZE];
	int n;

	if (outcome == SMTP_UNUSABLE)
		n = snprintf(text, sizeof(text), "%s%s%s", why, *s->answer ? "; the server's last words: " : "", s->answer);
	else
		n = snprintf(text, sizeof(text), "%s", s->answer);
	copy_words(text, (size_t)n, ret_words);
}

enum smtp_outcome smtp_send(const struct mail_config *config, const char *to, struct span message, char ret_words[SMTP_WORDS])
{
	char problem[CURL_ERROR_SIZE] = "";
	struct curl_slist *recipients = curl_slist_append(NULL, to);
	struct session s = { .left = message };
	CURL *c = curl_easy_init();
	enum smtp_outcome outcome;
	long code = 0;
	CURLcode rc;

	if (!c || !recipients)
		abort();
	set_up(c, config, &s, problem);
	set_mail(c, config, recipients, &s);
	rc = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
	outcome = outcome_of(rc, code, &s);
	explain(outcome, rc, &s, problem, ret_words);
	curl_slist_free_all(recipients);
	curl_easy_cleanup(c);
	return outcome;
}
