/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "access/access.h"
#include "audit/audit_export.h"
#include "audit/event.h"
#include "base/clock.h"
#include "identity/token.h"
#include "org/licence.h"
#include "org/role.h"

#define NOW INT64_C(1790000000000000)	/* microseconds */
#define NOW_SECONDS (NOW / 1000000)

static void knows_logins(void **state)
{
	static const char *const good[] = { "abc", "A-1", "a_b", "x23456789012345678901234567890123456789x", "0-0" };
	static const char *const bad[] = { "", "ab", "-ab", "ab-", "_ab", "ab_", "a b", "a.b", "a/b", "a%b", "\xc3\xa9" "ab", "ab\n",
					   "x234567890123456789012345678901234567890x", "a'b", "a\tb" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(identity_login_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(identity_login_valid(bad[i]));
	assert_false(identity_login_valid(NULL));
}

static void tokens_end(void **state)
{
	static const int64_t bad[] = { 1, -1, INT64_MIN, INT64_MAX, NOW_SECONDS, NOW_SECONDS + 733 * 86400LL };
	int64_t at = 0;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(token_expiry(0, NOW, &at, &e), 1);
	assert_int_equal(at, -1);
	assert_int_equal(token_expiry(NOW_SECONDS + 1, NOW, &at, &e), 1);
	assert_int_equal(at, NOW + 1000000);
	assert_int_equal(token_expiry(NOW_SECONDS + 730 * 86400LL, NOW, &at, &e), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err_clear(&e);
		assert_int_equal(token_expiry(bad[i], NOW, &at, &e), -1);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
	}
}

/* Refused before the database is asked: there is none here. */
static void refuse_signup(const struct signup *s, const char *about)
{
	char token[BEARER_TEXT];
	struct err e = { 0 };

	assert_int_equal(identity_sign_up(NULL, s, NOW, token, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	if (!strstr(e.message, about))
		fail_msg("%s does not speak of %s", e.message, about);
}

static void signup_has_rules(void **state)
{
	static const char long_password[] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	(void)state;
	refuse_signup(&(struct signup){ "Ann", "a", "ann@example.com", "long enough" }, "3 to 40");
	refuse_signup(&(struct signup){ "", "ann", "ann@example.com", "long enough" }, "'name'");
	refuse_signup(&(struct signup){ "Ann", "ann", "annexample.com", "long enough" }, "e-mail");
	refuse_signup(&(struct signup){ "Ann", "ann", "@example.com", "long enough" }, "e-mail");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann@", "long enough" }, "e-mail");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann@b@c", "long enough" }, "e-mail");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann @b", "long enough" }, "e-mail");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann@example.com", "123456789" }, "9 characters, it must have 10 to 160");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann@example.com", "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9" }, "5 characters");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann@example.com", long_password }, "161 characters");
	refuse_signup(&(struct signup){ "Ann", "annannanna", "ann@example.com", "ANNannANNa" }, "differ");
	refuse_signup(&(struct signup){ "Ann", "ann", "ann@example.com", "ann@Example.com" }, "differ");
	refuse_signup(&(struct signup){ "Ann Example", "ann", "ann@example.com", "ann example" }, "differ");
}

static void compares_roles(void **state)
{
	struct caller nobody = { .login = "x" };
	struct caller member = { .login = "x", .organization_id = (char *)(uintptr_t)"1", .role = (char *)(uintptr_t)"member" };
	struct caller admin = { .login = "x", .organization_id = (char *)(uintptr_t)"1", .role = (char *)(uintptr_t)"admin" };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(access_check(&nobody, MEMBER, "acme", &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	err_clear(&e);
	assert_int_equal(access_check(&member, MEMBER, "acme", &e), 1);
	assert_int_equal(access_check(&member, STACK_WRITE, "acme", &e), 1);
	assert_int_equal(access_check(&member, MEMBER_READ, "acme", &e), 1);
	assert_int_equal(access_check(&member, MEMBER_ADD, "acme", &e), -1);
	assert_int_equal(e.kind, ERR_FORBIDDEN);
	assert_non_null(strstr(e.message, "org_member:add"));
	err_clear(&e);
	assert_int_equal(access_check(&admin, AUDIT_LOGS_EXPORT, "acme", &e), 1);
}

static void knows_what_every_member_may(void **state)
{
	(void)state;
	assert_true(access_of_member(MEMBER) && access_of_member(USER) && access_of_member(STACK_WRITE));
	assert_false(access_of_member(MEMBER_ADD) || access_of_member(SITE_ADMIN) || access_of_member(UPDATE_TOKEN));
}

static void reads_when_licences_end(void **state)
{
	static const char *const bad[] = { "", "a", ".", "..", "a.b", "a.b.c", "a.e30.c", "a.W10.c", "a.eyJleHAiOi0xfQ.c", "a.eyJleHAiOjEuNX0.c" };
	int64_t at = 0;

	(void)state;
	assert_true(licence_ends_at("a.eyJleHAiOjE4OTM0NTYwMDB9.c", &at));	/* {"exp":1893456000} */
	assert_int_equal(at, INT64_C(1893456000000000));
	at = -1;
	assert_false(licence_ends_at(NULL, &at));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)	/* {}, [], {"exp":-1}, {"exp":1.5} among them */
		assert_false(licence_ends_at(bad[i], &at));
	assert_int_equal(at, -1);
}

static void knows_roles(void **state)
{
	const struct role *role = NULL;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(role_check("admin", &role, &e), 1);
	assert_string_equal(role->name, "Admin");
	assert_int_equal(role_check("billing-manager", &role, &e), -1);
	assert_non_null(strstr(e.message, "admin and member"));
	err_clear(&e);
	assert_int_equal(role_check(NULL, &role, &e), -1);
}

static void writes_times(void **state)
{
	char text[TIME_TEXT];

	(void)state;
	time_text(0, text);
	assert_string_equal(text, "1970-01-01T00:00:00.000Z");
	time_text(INT64_C(951782400123999), text);
	assert_string_equal(text, "2000-02-29T00:00:00.123Z");
}

static void names_events(void **state)
{
	(void)state;
	assert_string_equal(audit_event_of("delete_stack"), "stack-deleted");
	assert_string_equal(audit_event_of("log_only_decrypt_value"), "secret-decrypted");
	assert_string_equal(audit_event_of("something_new"), "something_new");
	assert_int_equal(audit_kind_of("stack-deleted").by, BY_STACK_ADMIN);
	assert_int_equal(audit_kind_of("member-added").by, BY_ORG_ADMIN);
	assert_string_equal(audit_kind_of("something_new").title, "something_new");
}

#define TEXT(literal) ((char *)(uintptr_t)(literal))

static struct audit_entry entry_by(char *name, char *description)
{
	return (struct audit_entry){ .event = TEXT("member-added"), .description = description, .source_ip = TEXT("192.0.2.1"),
				     .login = TEXT("ann"), .name = name, .user_id = TEXT("u-1"), .created_at = 1500000 };
}

static void expect_csv(struct audit_entry entry, const char *line)
{
	struct buffer out = BUFFER_INIT;

	audit_csv_line(&entry, &out);
	assert_string_equal(out.data, line);
	buffer_done(&out);
}

#define CSV(name, description)                                                                     \
	"1970-01-01T00:00:01.500Z," name ",ann,Member added," description ",192.0.2.1,true,false,false\n"

static void exports_csv(void **state)
{
	struct audit_entry nobody = { .event = TEXT("x"), .description = TEXT(""), .source_ip = TEXT(""), .created_at = 0 };

	(void)state;
	expect_csv(entry_by(TEXT("Ann"), TEXT("/api/x")), CSV("Ann", "/api/x"));
	expect_csv(entry_by(TEXT("Ann, \"A\""), TEXT("two\nlines")), CSV("\"Ann, \"\"A\"\"\"", "\"two\nlines\""));
	expect_csv(entry_by(TEXT("=1+1"), TEXT("@x")), CSV("\"'=1+1\"", "\"'@x\""));
	expect_csv(entry_by(TEXT("-1"), TEXT("+1\"")), CSV("\"'-1\"", "\"'+1\"\"\""));
	expect_csv(nobody, "1970-01-01T00:00:00.000Z,,,x,,,false,false,false\n");
}

static void exports_cef(void **state)
{
	struct audit_entry entry = entry_by(TEXT("Ann"), TEXT("a=b|c\\d\ne"));
	struct buffer out = BUFFER_INIT;

	(void)state;
	audit_cef_line(&entry, "o-1", "api.example.com", "1.0", &out);
	assert_string_equal(out.data, "CEF:0|pulumi-api|pulumi-api|1.0|member-added|Member added|5|rt=1500 dvchost=api.example.com "
				      "src=192.0.2.1 suser=ann msg=a\\=b|c\\\\d\\ne orgID=o-1 userID=u-1 requireOrgAdmin=true "
				      "requireStackAdmin=false authenticationFailure=false\n");
	buffer_clear(&out);
	entry.event = TEXT("a|b\\c");
	audit_cef_line(&entry, "o-1", "", "1.0", &out);
	assert_non_null(strstr(out.data, "|1.0|a\\|b\\\\c|a\\|b\\\\c|3|rt=1500 src="));
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_logins),	  cmocka_unit_test(tokens_end),	  cmocka_unit_test(signup_has_rules),
		cmocka_unit_test(compares_roles), cmocka_unit_test(knows_what_every_member_may), cmocka_unit_test(reads_when_licences_end), cmocka_unit_test(knows_roles),  cmocka_unit_test(writes_times),
		cmocka_unit_test(names_events),	  cmocka_unit_test(exports_csv),  cmocka_unit_test(exports_cef),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
