/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses, the message as it is sent, the settings, and who may send what, without a mail server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_db.h"
#include "mail/limit.h"
#include "mail/mail.h"
#include "mail/message.h"

#define NOW INT64_C(1790000000000000)	/* Mon, 21 Sep 2026 14:13:20 UTC */

static const struct mail_config config = { .url = "smtp://127.0.0.1:1", .sender = { "Pulumi", "pulumi@example.com" } };

static void knows_addresses(void **state)
{
	static const char *const good[] = { "a@b", "a.b+c@example.com", "o'neil@x-y.example", "!#$%&*/=?^_`{|}~-@e.org", "1@2.3" };
	static const char *const bad[] = { "", "@", "a@", "@b", "a", "a@b@c", "a b@c", "a@b c", ".a@b", "a.@b", "a..b@c", "a@.b", "a@b.", "a@-b",
					   "a@b-", "a@b..c", "a@b\r\nBcc: c@d", "a\n@b", "<a@b>", "a@b>", "a,c@b", "a;c@b", "\"a\"@b", "a@[1.2.3.4]",
					   "a(c)@b", "\xc3\xa9@b", "a@\xc3\xa9", "a\t@b", "a@b,c@d", "a:b@c", "a\\b@c", "a@b\n", " a@b", "a@b ",
					   "x2345678901234567890123456789012345678901234567890123456789012345@b",
					   "a@x234567890123456789012345678901234567890123456789012345678901234" };
	char longest[300];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(address_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (address_valid(bad[i]))
			fail_msg("'%s' is taken for an address", bad[i]);
	assert_false(address_valid(NULL));
	for (size_t n = 253; n <= 255; n++) {
		memset(longest, 'a', n);
		for (size_t i = 3; i < n - 1; i += 4)
			longest[i] = '.';
		longest[1] = '@';
		longest[n] = '\0';
		assert_int_equal(address_valid(longest), n <= 254);
	}
}

static void knows_mailboxes(void **state)
{
	static const char *const bad[] = { "", "a", "<>", "Name", "Name <a>", "<a@b", "a@b>", "N\r\nBcc: x@y <a@b>", "N\x7f <a@b>", "N <a@b> c", "a b@c" };
	struct arena arena = ARENA_INIT;
	struct mailbox box = { 0 };

	(void)state;
	assert_int_equal(mailbox_parse("a@b", &arena, &box), 1);
	assert_string_equal(box.name, "");
	assert_string_equal(box.address, "a@b");
	assert_int_equal(mailbox_parse("P\xc3\xbclumi, \"Inc.\" <x> <a@b>", &arena, &box), 1);
	assert_string_equal(box.name, "P\xc3\xbclumi, \"Inc.\" <x>");
	assert_string_equal(box.address, "a@b");
	assert_int_equal(mailbox_parse("<a@b>", &arena, &box), 1);
	assert_string_equal(box.name, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (mailbox_parse(bad[i], &arena, &box))
			fail_msg("'%s' is taken for a mailbox", bad[i]);
	arena_clear(&arena);
}

static const char *written(const char *name, const char *subject, const char *text)
{
	static struct buffer out;

	buffer_clear(&out);
	message_write(&(struct message){ "id-1", { name, "p@example.com" }, "to@example.org", subject, text, NOW }, &out);
	return out.data;
}

static void writes_a_message(void **state)
{
	(void)state;
	assert_string_equal(written("", "Hello", "One\n\nTwo = 2\n"),
			    "Date: Mon, 21 Sep 2026 14:13:20 +0000\r\n"
			    "From: p@example.com\r\n"
			    "To: to@example.org\r\n"
			    "Subject: Hello\r\n"
			    "Message-ID: <id-1@example.com>\r\n"
			    "Auto-Submitted: auto-generated\r\n"
			    "MIME-Version: 1.0\r\n"
			    "Content-Type: text/plain; charset=utf-8\r\n"
			    "Content-Transfer-Encoding: quoted-printable\r\n"
			    "\r\n"
			    "One\r\n\r\nTwo =3D 2\r\n");
	assert_non_null(strstr(written("P\xc3\xbc", "\xc3\xa4", "\xe2\x82\xac"), "From: =?UTF-8?B?UMO8?=\r\n <p@example.com>\r\n"));
	assert_non_null(strstr(written("", "\xc3\xa4", "\xe2\x82\xac"), "Subject: =?UTF-8?B?w6Q=?=\r\n"));
	assert_non_null(strstr(written("", "a", "\xe2\x82\xac \n a\t\n. \r\n"), "\r\n\r\n=E2=82=AC=20\r\n a=09\r\n. =0D\r\n"));
}

/* Whatever stands in a text, headers stay as many as they were, lines short, and all of it ASCII. */
static void lets_no_text_out(void **state)
{
	static const char *const texts[] = { "a\r\nBcc: x@y", "\nBcc: x@y", "a\rb", "=?UTF-8?B?YQ==?=", "\x01\x7f", "\"<>,;:\\",
					     "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
					     "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
					     "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"
					     "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80",
					     "a plain one that is longer than a line may be, so that it has to be put into words of some kind or another" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *message = written(texts[i], texts[i], texts[i]), *body = strstr(message, "\r\n\r\n");
		int headers = 0;

		for (const char *at = message; *at; at += strcspn(at, "\r") + 2) {
			assert_true(strcspn(at, "\r") <= 76);
			assert_int_equal(at[strcspn(at, "\r\n") + 1], '\n');
			headers += at < body && *at != ' ';
		}
		assert_int_equal(headers, 9);
		assert_true(!strstr(message, "\r\nBcc") || strstr(message, "\r\nBcc") >= body + 2);
		for (const char *at = message; *at; at++)
			assert_true((*at >= ' ' && *at <= '~') || *at == '\r' || *at == '\n');
	}
}

static void set(const char *server, const char *username, const char *password, const char *sender, const char *plain)
{
	setenv("SMTP_SERVER", server, 1);
	setenv("SMTP_USERNAME", username, 1);
	setenv("SMTP_PASSWORD", password, 1);
	setenv("SMTP_GENERIC_SENDER", sender, 1);
	setenv("PULUMI_SMTP_PLAIN", plain, 1);
}

static void refuse(const char *about)
{
	struct arena arena = ARENA_INIT;
	struct mail_config c = { 0 };
	struct err e = { 0 };

	assert_int_equal(mail_configure(&arena, &c, &e), -1);
	if (strncmp(e.detail, about, strlen(about)))
		fail_msg("'%s' does not begin with %s", e.detail, about);
	arena_clear(&arena);
}

static void reads_settings(void **state)
{
	static const char *const bad[] = { "mail", "mail:", ":25", "mail:0", "mail:65536", "mail:-1", "mail:2x", "mail:99999999", "a b:25", "a@b:25",
					   "smtp://mail:25", "mail/x:25" };
	struct arena arena = ARENA_INIT;
	struct mail_config c = { 0 };
	struct err e = { 0 };

	(void)state;
	set("", "", "", "", "");
	assert_int_equal(mail_configure(&arena, &c, &e), 0);
	set("mail.example.com:587", "me", "secret", "P <p@example.com>", "");
	assert_int_equal(mail_configure(&arena, &c, &e), 1);
	assert_string_equal(c.url, "smtp://mail.example.com:587");
	assert_string_equal(c.password, "secret");
	set("mail.example.com:465", "", "", "p@example.com", "false");
	assert_int_equal(mail_configure(&arena, &c, &e), 1);
	assert_string_equal(c.url, "smtps://mail.example.com:465");
	set("[::1]:25", "", "", "p@example.com", "true");
	assert_int_equal(mail_configure(&arena, &c, &e), 1);
	assert_string_equal(c.url, "smtp://[::1]:25");
	arena_clear(&arena);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		set(bad[i], "", "", "p@example.com", "");
		refuse("SMTP_SERVER:");
	}
	set("mail.example.com:25", "", "", "p@example.com", "true");
	refuse("PULUMI_SMTP_PLAIN:");
	set("mail.example.com:25", "", "", "p@example.com", "perhaps");
	refuse("PULUMI_SMTP_PLAIN:");
	set("mail.example.com:25", "me", "", "p@example.com", "");
	refuse("SMTP_PASSWORD");
	set("mail.example.com:25", "", "secret", "p@example.com", "");
	refuse("SMTP_USERNAME");
	set("mail.example.com:25", "", "", "", "");
	refuse("SMTP_GENERIC_SENDER");
	set("mail.example.com:25", "", "", "nobody", "");
	refuse("SMTP_GENERIC_SENDER:");
	set("", "", "", "p@example.com", "");
	refuse("SMTP_GENERIC_SENDER is set");
	set("", "", "", "", "true");
	refuse("PULUMI_SMTP_PLAIN is set");
}

static void makes_links(void **state)
{
	static const char *const rows[][2] = { { "app.example.com", "https://app.example.com/x" }, { "localhost:3000", "http://localhost:3000/x" },
					       { "http://c:1", "http://c:1/x" }, { "127.0.0.1:3", "http://127.0.0.1:3/x" },
					       { "localhost.example.com", "https://localhost.example.com/x" } };
	struct arena arena = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("PULUMI_CONSOLE_DOMAIN", rows[i][0], 1);
		assert_string_equal(mail_link(&arena, "/x"), rows[i][1]);
	}
	arena_clear(&arena);
}

static void queues(void **state)
{
	struct mail mail = { "test", "a@b", "S", "T\n" };
	struct err e = { 0 };

	(void)state;
	fake_expect("mail.queue", "* 'test' 'a@b' 'S' * 72");
	assert_int_equal(mail_queue(fake_db(), &config, &mail, NOW, &e), 1);
	fake_done();
	mail.to = "a@b\r\nRCPT TO:<c@d>";
	assert_int_equal(mail_queue(fake_db(), &config, &mail, NOW, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	fake_done();
}

static void sends_only_what_it_claims(void **state)
{
	struct mail_sent sent = { 0 };
	struct err e = { 0 };

	(void)state;
	fake_expect("mail.due", NULL);
	assert_int_equal(mail_send_next(fake_db(), &config, &sent, &e), 0);
	fake_expect("mail.due", NULL);
	fake_row("id=m1", "recipient=a@b", "message=x", "attempts=3", "last=0", NULL);
	fake_expect("mail.claim", "300 'm1' 3");
	fake_changed(0);
	assert_int_equal(mail_send_next(fake_db(), &config, &sent, &e), 1);
	fake_done();
	assert_int_equal(sent.sent + sent.later + sent.failed, 0);
}

/* Nothing listens on port 1. */
static void keeps_what_no_server_takes(void **state)
{
	struct mail_sent sent = { 0 };
	struct err e = { 0 };

	(void)state;
	fake_expect("mail.due", NULL);
	fake_row("id=m1", "recipient=a@b", "message=x", "attempts=3", "last=0", NULL);
	fake_expect("mail.claim", "300 'm1' 3");
	fake_expect("mail.later", "* * 'm1' 4");
	assert_int_equal(mail_send_next(fake_db(), &config, &sent, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_non_null(strstr(e.detail, "smtp://127.0.0.1:1: "));
	fake_done();
	err_clear(&e);
	fake_expect("mail.due", NULL);
	fake_row("id=m1", "recipient=a@b", "message=x", "attempts=9", "last=1", NULL);
	fake_expect("mail.claim", "300 'm1' 9");
	fake_expect("mail.failed", "* 'm1' 10");
	assert_int_equal(mail_send_next(fake_db(), &config, &sent, &e), -1);
	fake_done();
	assert_int_equal(sent.later, 1);
	assert_int_equal(sent.failed, 1);
}

static void limits(void **state)
{
	struct err e = { 0 };

	(void)state;
	fake_expect("limit.count", "1 #32 497222 4");
	assert_int_equal(limit_take(fake_db(), "x", 5, NOW, &e), 1);
	fake_expect("limit.count", "1 #32 497222 4");
	fake_changed(0);
	fake_expect("limit.begin", "#32 497222 1");
	assert_int_equal(limit_take(fake_db(), "x", 5, NOW, &e), 1);
	fake_expect("limit.count", "1 #32 497222 4");
	fake_changed(0);
	fake_expect("limit.begin", "#32 497222 1");
	fake_duplicate();
	fake_expect("limit.count", "1 #32 497222 4");
	fake_changed(0);
	assert_int_equal(limit_check(fake_db(), "x", 1, 5, NOW, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_MANY);
	fake_done();
	err_clear(&e);
	fake_expect("limit.count", "3 #32 497222 2");
	assert_int_equal(limit_check(fake_db(), "x", 3, 5, NOW, &e), 1);
	assert_int_equal(limit_check(fake_db(), "x", 6, 5, NOW, &e), -1);	/* without a question */
	assert_int_equal(e.kind, ERR_TOO_MANY);
	fake_done();
}

/* A mail more than a statement has places for. */
static void queues_many(void **state)
{
	struct mail list[21];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < 21; i++)
		list[i] = (struct mail){ "test", "a@b", "S", "T\n" };
	fake_expect("mail.queue_all", NULL);
	fake_expect("mail.queue_all", NULL);
	assert_int_equal(mail_queue_all(fake_db(), &config, list, 21, NOW, &e), 1);
	fake_done();
	assert_int_equal(mail_queue_all(fake_db(), &config, list, 0, NOW, &e), 1);
	list[20].to = "nowhere";
	fake_expect("mail.queue_all", NULL);
	assert_int_equal(mail_queue_all(fake_db(), &config, list, 21, NOW, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	fake_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_addresses),
		cmocka_unit_test(knows_mailboxes),
		cmocka_unit_test(writes_a_message),
		cmocka_unit_test(lets_no_text_out),
		cmocka_unit_test(reads_settings),
		cmocka_unit_test(makes_links),
		cmocka_unit_test(queues),
		cmocka_unit_test(sends_only_what_it_claims),
		cmocka_unit_test(keeps_what_no_server_takes),
		cmocka_unit_test(limits),
		cmocka_unit_test(queues_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
