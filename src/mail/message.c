/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/message.h"

#include <time.h>

#include "crypto/aead.h"

#define LINE_MOST 76	/* RFC 2045 §6.7 (5), RFC 2047 §2; without its CRLF */
#define PLAIN_MOST 60	/* of a header that is not encoded: its name fits before it */
#define WORD_BYTES 36	/* of text in one encoded word: 60 characters, with the header's name less than a line */

/* Printable ASCII that nobody can take for an encoded word. */
static bool is_plain(const char *text)
{
	if (strlen(text) > PLAIN_MOST || strstr(text, "=?"))
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

/* How many bytes go into the next word: none is cut within a character. */
static size_t word_length(const char *text)
{
	size_t n = strnlen(text, WORD_BYTES);

	while (n > WORD_BYTES - 4 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* RFC 2047 §4.1: the "B" encoding, a word a line. */
static void write_words(const char *text, struct buffer *out)
{
	while (*text) {
		size_t n = word_length(text);

		buffer_puts(out, "=?UTF-8?B?");
		base64_encode((struct span){ text, n }, out);
		buffer_puts(out, text[n] ? "?=\r\n " : "?=");
		text += n;
	}
}

static void write_from(const struct mailbox *from, struct buffer *out)
{
	buffer_puts(out, "From: ");
	if (*from->name) {
		write_words(from->name, out);
		buffer_printf(out, "\r\n <%s>\r\n", from->address);
	} else {
		buffer_printf(out, "%s\r\n", from->address);
	}
}

static void write_subject(const char *subject, struct buffer *out)
{
	buffer_puts(out, "Subject: ");
	if (is_plain(subject))
		buffer_puts(out, subject);
	else
		write_words(subject, out);
	buffer_puts(out, "\r\n");
}

/* RFC 5322 §3.3; the names of days and months are English in the C locale, which no program here leaves. */
static void write_date(int64_t us, struct buffer *out)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;
	char text[64];

	strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&seconds, &tm));
	buffer_printf(out, "Date: %s\r\n", text);
}

/* A space or tab at the end of a line would get lost on the way. */
static bool travels_as_it_is(char c, char next)
{
	if (c == ' ' || c == '\t')
		return next && next != '\n';
	return c > ' ' && c <= '~' && c != '=';
}

/* RFC 2045 §6.7. */
static void write_text(const char *text, struct buffer *out)
{
	size_t column = 0;

	for (; *text; text++) {
		bool plain = travels_as_it_is(*text, text[1]);

		if (*text == '\n') {
			buffer_puts(out, "\r\n");
			column = 0;
			continue;
		}
		/* One column is kept for the '=' of a line that goes on. */
		if (column + (plain ? 1 : 3) > LINE_MOST - 1) {
			buffer_puts(out, "=\r\n");
			column = 0;
		}
		buffer_printf(out, plain ? "%c" : "=%02X", (unsigned char)*text);
		column += plain ? 1 : 3;
	}
	if (column)
		buffer_puts(out, "\r\n");
}

void message_write(const struct message *m, struct buffer *out)
{
	write_date(m->date_us, out);
	write_from(&m->from, out);
	buffer_printf(out, "To: %s\r\n", m->to);
	write_subject(m->subject, out);
	buffer_printf(out, "Message-ID: <%s%s>\r\n", m->id, strchr(m->from.address, '@'));
	/* RFC 3834 §5: nobody is on holiday for a program. */
	buffer_puts(out, "Auto-Submitted: auto-generated\r\n"
			 "MIME-Version: 1.0\r\n"
			 "Content-Type: text/plain; charset=utf-8\r\n"
			 "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	write_text(m->text, out);
}
