/* SPDX-License-Identifier: Apache-2.0 */
#include "json/scan.h"

#include <ctype.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif
#include <stdlib.h>
#include <strings.h>

#include "base/limits.h"

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

/* The end of a valid multi-byte UTF-8 sequence, NULL when it is none. */
static const char *skip_utf8(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = u[0] >= 0xc2 && u[0] <= 0xdf ? 2 : (u[0] & 0xf0) == 0xe0 ? 3 : u[0] >= 0xf0 && u[0] <= 0xf4 ? 4 : 0;

	if (n == 0 || (size_t)(end - p) < n)
		return NULL;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return NULL;
	if ((u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xed && u[1] > 0x9f) ||
	    (u[0] == 0xf0 && u[1] < 0x90) || (u[0] == 0xf4 && u[1] > 0x8f))
		return NULL;
	return p + n;
}

static const char *skip_escape(const char *p, const char *end)
{
	if (p >= end)
		return NULL;
	if (*p != 'u')
		return strchr("\"\\/bfnrt", *p) && *p ? p + 1 : NULL;
	if (end - p < 5)
		return NULL;
	for (int i = 1; i < 5; i++)
		if (!isxdigit((unsigned char)p[i]))
			return NULL;
	return p + 5;
}

/* Skips characters that need no look: printable ASCII without quotes and backslashes. */
static const char *skip_ordinary(const char *p, const char *end)
{
#ifdef __x86_64__
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);

	for (; end - p >= 16; p += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Bytes from 0x80 on are negative here, so the comparison finds them as well. */
		int special = _mm_movemask_epi8(_mm_or_si128(_mm_cmplt_epi8(c, space),
							     _mm_or_si128(_mm_cmpeq_epi8(c, quote), _mm_cmpeq_epi8(c, backslash))));

		if (special)
			return p + __builtin_ctz((unsigned)special);
	}
#endif
	return p;
}

/* From the opening quote to behind the closing one. */
static const char *skip_string(const char *p, const char *end)
{
	p = skip_ordinary(p + 1, end);
	while (p && p < end && *p != '"') {
		unsigned char c = (unsigned char)*p;

		if (c < 0x20)
			return NULL;
		p = c == '\\' ? skip_escape(p + 1, end) : c < 0x80 ? p + 1 : skip_utf8(p, end);
		if (p)
			p = skip_ordinary(p, end);
	}
	return p && p < end ? p + 1 : NULL;
}

static const char *skip_digits(const char *p, const char *end)
{
	const char *from = p;

	while (p < end && isdigit((unsigned char)*p))
		p++;
	return p > from ? p : NULL;
}

static const char *skip_number(const char *p, const char *end)
{
	if (*p == '-')
		p++;
	if (p < end && *p == '0')
		p++;
	else
		p = skip_digits(p, end);
	if (p && p < end && *p == '.')
		p = skip_digits(p + 1, end);
	if (p && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		p = skip_digits(p, end);
	}
	return p;
}

static const char *skip_word(const char *p, const char *end)
{
	static const char *words[] = { "true", "false", "null" };

	for (int i = 0; i < 3; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(end - p) >= n && !memcmp(p, words[i], n))
			return p + n;
	}
	return NULL;
}

static const char *skip_scalar(const char *p, const char *end)
{
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '-' || isdigit((unsigned char)*p))
		return skip_number(p, end);
	return skip_word(p, end);
}

/* A member's name and colon, up to where its value starts. */
static const char *skip_name(const char *p, const char *end)
{
	p = skip_space(p, end);
	if (p >= end || *p != '"')
		return NULL;
	p = skip_string(p, end);
	p = p ? skip_space(p, end) : NULL;
	return p && p < end && *p == ':' ? skip_space(p + 1, end) : NULL;
}

/* Closes what ends here; NULL on a mismatch, otherwise where the next value starts, or the end. */
static const char *after_value(const char *p, const char *end, const char *open, size_t *depth)
{
	while (*depth) {
		p = skip_space(p, end);
		if (p >= end)
			return NULL;
		if (*p == ',')
			return open[*depth - 1] == '{' ? skip_name(p + 1, end) : skip_space(p + 1, end);
		if (*p != (open[*depth - 1] == '{' ? '}' : ']'))
			return NULL;
		p++;
		(*depth)--;
	}
	return p;
}

/* The end of the value at p; NULL when it is not valid JSON or nested too deeply. */
static const char *skip_value(const char *p, const char *end)
{
	char open[LIMIT_JSON_DEPTH];
	size_t depth = 0;

	do {
		if (!p || p >= end)
			return NULL;
		if (*p != '{' && *p != '[') {
			p = skip_scalar(p, end);
		} else if (depth == LIMIT_JSON_DEPTH) {
			return NULL;
		} else {
			char close = *p == '{' ? '}' : ']';
			const char *inside = skip_space(p + 1, end);

			open[depth++] = *p;
			if (inside >= end || *inside != close) {
				p = close == '}' ? skip_name(p + 1, end) : inside;
				continue;
			}
			depth--;
			p = inside + 1;
		}
		if (p)
			p = after_value(p, end, open, &depth);
	} while (depth);
	return p;
}

int scan_document(struct span text, struct span *ret_value, struct err *e)
{
	const char *end = text.data + text.length;
	const char *from = skip_space(text.data, end);
	const char *to = skip_value(from, end);

	if (!to || skip_space(to, end) != end)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the body is not valid JSON in UTF-8 (or nested deeper than %d)",
			       LIMIT_JSON_DEPTH);
	*ret_value = (struct span){ from, (size_t)(to - from) };
	return 1;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

struct span scan_trim(struct span text)
{
	while (text.length && is_space(text.data[0]))
		text = (struct span){ text.data + 1, text.length - 1 };
	while (text.length && is_space(text.data[text.length - 1]))
		text.length--;
	return text;
}

void scan_open(struct scan *s, struct span value)
{
	s->at = value.data + 1;
	s->end = value.data + value.length - 1;
}

/* --- What scan_document has accepted can be skipped without looking at every byte again. --- */

#ifdef __x86_64__
/* One bit for each of 64 bytes. */
struct marks {
	uint64_t quote, backslash, bracket;
};

#define INLINE static inline __attribute__((always_inline))
#define WIDE __attribute__((target("avx2,bmi,pclmul")))

INLINE WIDE uint64_t bits_of(__m256i equal, int at)
{
	return (uint64_t)(unsigned)_mm256_movemask_epi8(equal) << at;
}

INLINE WIDE void mark(const char *p, struct marks *ret)
{
	const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\'), fold = _mm256_set1_epi8(0x20),
		      open = _mm256_set1_epi8('{'), close = _mm256_set1_epi8('}');

	*ret = (struct marks){ 0 };
#pragma GCC unroll 2
	for (int at = 0; at < 64; at += 32) {
		__m256i c = _mm256_loadu_si256((const __m256i *)(const void *)(p + at)), folded = _mm256_or_si256(c, fold);

		ret->quote |= bits_of(_mm256_cmpeq_epi8(c, quote), at);
		ret->backslash |= bits_of(_mm256_cmpeq_epi8(c, backslash), at);
		/* Brackets differ from braces in one bit. */
		ret->bracket |= bits_of(_mm256_or_si256(_mm256_cmpeq_epi8(folded, open), _mm256_cmpeq_epi8(folded, close)), at);
	}
}

/* Each bit becomes the parity of itself and those below, as a product without carries sums up all shifts. */
INLINE WIDE uint64_t parity(uint64_t x)
{
	__m128i product = _mm_clmulepi64_si128(_mm_set_epi64x(0, (int64_t)x), _mm_set1_epi8((char)0xff), 0);

	return (uint64_t)_mm_cvtsi128_si64(product);
}

/* The bytes that a backslash stands before; *carry: the byte behind these is one. */
INLINE uint64_t escaped_of(uint64_t backslash, uint64_t *carry)
{
	uint64_t escaped = *carry;

	*carry = 0;
	for (backslash &= ~escaped; backslash; backslash &= backslash - 1) {
		uint64_t next = (backslash & -backslash) << 1;

		*carry = next == 0;
		escaped |= next;
		backslash &= ~next;
		if (!next)
			break;
	}
	return escaped;
}

/* Where the container ends whose depth is *depth before these bytes; NULL: behind them. */
INLINE const char *close_of(const char *p, uint64_t brackets, size_t *depth)
{
	for (; brackets; brackets &= brackets - 1) {
		const char *at = p + __builtin_ctzll(brackets);

		/* Opening brackets and braces have the bit that closing ones lack. */
		*depth += *at & 2 ? 1 : (size_t)-1;
		if (*depth == 0)
			return at + 1;
	}
	return NULL;
}

/* Behind the container that opens at p, 64 bytes at a time. */
static WIDE const char *wide_container(const char *p, const char *end)
{
	uint64_t carry = 0, inside = 0;
	const char *close = NULL;
	size_t depth = 0;

	for (; !close; p += 64) {
		char tail[64];
		struct marks m;
		uint64_t strings;

		if (end - p < 64)
			memcpy(memset(tail, ' ', sizeof(tail)), p, (size_t)(end - p));
		mark(end - p < 64 ? tail : p, &m);
		/* From the quotes, what lies in strings. */
		strings = parity(m.quote & ~escaped_of(m.backslash, &carry)) ^ inside;
		inside = strings >> 63 ? UINT64_MAX : 0;
		close = close_of(p, m.bracket & ~strings, &depth);
	}
	return close;
}

static const char *known_container(const char *p, const char *end)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("pclmul") ?
	       wide_container(p, end) : skip_value(p, end);
}

/* Behind the closing quote of the string that opens at p. */
static const char *known_string(const char *p, const char *end)
{
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');

	for (p++;;) {
		int marks = 0;

		for (; end - p >= 16; p += 16) {
			__m128i c = _mm_loadu_si128((const __m128i *)(const void *)p);

			marks = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(c, quote), _mm_cmpeq_epi8(c, backslash)));
			if (marks)
				break;
		}
		if (marks)
			p += __builtin_ctz((unsigned)marks);
		while (*p != '"' && *p != '\\')
			p++;
		if (*p == '"')
			return p + 1;
		p += 2;
	}
}
#else
static const char *known_container(const char *p, const char *end)
{
	return skip_value(p, end);
}

static const char *known_string(const char *p, const char *end)
{
	return skip_string(p, end);
}
#endif

static const char *known_value(const char *p, const char *end)
{
	if (*p == '"')
		return known_string(p, end);
	if (*p == '{' || *p == '[')
		return known_container(p, end);
	while (p < end && *p != ',' && *p != '}' && *p != ']' && !is_space(*p))
		p++;
	return p;
}

static void skip_comma(struct scan *s)
{
	s->at = skip_space(s->at, s->end);
	if (s->at < s->end && *s->at == ',')
		s->at++;
}

bool scan_element(struct scan *s, struct span *ret_value)
{
	const char *from = skip_space(s->at, s->end);

	if (from >= s->end)
		return false;
	s->at = known_value(from, s->end);
	*ret_value = (struct span){ from, (size_t)(s->at - from) };
	skip_comma(s);
	return true;
}

bool scan_member(struct scan *s, struct span *ret_name, struct span *ret_value)
{
	const char *from = skip_space(s->at, s->end), *to;

	/* The end of an object that is walked inside of its list is a brace. */
	if (from >= s->end || *from == '}')
		return false;
	to = known_string(from, s->end);
	*ret_name = (struct span){ from + 1, (size_t)(to - from) - 2 };
	s->at = skip_space(to, s->end) + 1;
	return scan_element(s, ret_value);
}

static bool same_letters(struct span key, const char *name)
{
	return strlen(name) == key.length && !strncasecmp(key.data, name, key.length);
}

/* Most names differ in their first letter. What is behind an empty one is its closing quote. */
static inline bool plain_name_is(struct span key, const char *name)
{
	return !((key.data[0] ^ name[0]) & ~0x20) && same_letters(key, name);
}

static bool escaped_name_is(struct span key, const char *name)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span quoted = { key.data - 1, key.length + 2 }, text;

	return scan_text(quoted, &arena, &text) && plain_name_is(text, name);
}

bool scan_name_is(struct span key, const char *name)
{
	return memchr(key.data, '\\', key.length) ? escaped_name_is(key, name) : plain_name_is(key, name);
}

#define UNIQUE_MEMBERS 64

int scan_unique(struct span object, struct err *e)
{
	struct span names[UNIQUE_MEMBERS], value;
	struct scan s;

	if (object.length < 2 || object.data[0] != '{')
		return 1;
	scan_open(&s, object);
	for (size_t n = 0; n < UNIQUE_MEMBERS && scan_member(&s, &names[n], &value); n++)
		for (size_t i = 0; i < n; i++)
			if (span_equal(names[i], names[n]))
				return err_set(e, ERR_BAD_REQUEST, "Bad Request: the member '%.*s' is there twice",
					       (int)(names[n].length < 64 ? names[n].length : 64), names[n].data);
	return 1;
}

/* Letters that differ in case only have the same bit. */
static uint32_t letter_bit(char c)
{
	return 1U << (c & 31);
}

static void pick_members(struct scan *s, const char *const *names, size_t count, struct span *ret_values)
{
	uint32_t letters = letter_bit('\\');
	struct span key, value;

	for (size_t i = 0; i < count; i++)
		letters |= letter_bit(names[i][0]);
	while (scan_member(s, &key, &value)) {
		bool escaped;

		if (!(letters & letter_bit(key.data[0])))
			continue;
		escaped = memchr(key.data, '\\', key.length);
		for (size_t i = 0; i < count; i++)
			if (escaped ? escaped_name_is(key, names[i]) : plain_name_is(key, names[i]))
				ret_values[i] = value.data[0] == 'n' ? (struct span){ NULL, 0 } : value;
	}
}

void scan_pick(struct span object, const char *const *names, size_t count, struct span *ret_values)
{
	struct scan s;

	memset(ret_values, 0, count * sizeof(*ret_values));
	if (object.length < 2 || object.data[0] != '{')
		return;
	scan_open(&s, object);
	pick_members(&s, names, count, ret_values);
}

bool scan_pick_next(struct scan *list, const char *const *names, size_t count, struct span *ret_element,
		    struct span *ret_values)
{
	const char *from = skip_space(list->at, list->end);
	struct scan members;

	memset(ret_values, 0, count * sizeof(*ret_values));
	if (from >= list->end || *from != '{')
		return scan_element(list, ret_element);
	members = (struct scan){ from + 1, list->end };
	pick_members(&members, names, count, ret_values);
	list->at = skip_space(members.at, list->end) + 1;
	*ret_element = (struct span){ from, (size_t)(list->at - from) };
	skip_comma(list);
	return true;
}

bool scan_find(struct span object, const char *name, struct span *ret_value)
{
	struct span found;

	scan_pick(object, &name, 1, &found);
	if (!found.data)
		return false;
	*ret_value = found;
	return true;
}

static unsigned hex4(const char *p)
{
	char text[5] = { p[0], p[1], p[2], p[3], '\0' };

	return (unsigned)strtoul(text, NULL, 16);
}

static size_t put_utf8(char *to, unsigned c)
{
	if (c < 0x80)
		return to[0] = (char)c, 1;
	if (c < 0x800)
		return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 0x3f)), 2;
	if (c < 0x10000)
		return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 0x3f)),
		       to[2] = (char)(0x80 | (c & 0x3f)), 3;
	return to[0] = (char)(0xf0 | c >> 18), to[1] = (char)(0x80 | (c >> 12 & 0x3f)),
	       to[2] = (char)(0x80 | (c >> 6 & 0x3f)), to[3] = (char)(0x80 | (c & 0x3f)), 4;
}

/* A \u escape at p (behind the u), surrogates joined; a lone one becomes U+FFFD. Advances *ret_used. */
static unsigned read_escape(const char *p, const char *end, size_t *ret_used)
{
	unsigned high = hex4(p), low;

	*ret_used = 4;
	if (high < 0xd800 || high > 0xdfff)
		return high;
	if (high > 0xdbff || end - p < 10 || p[4] != '\\' || p[5] != 'u')
		return 0xfffd;
	low = hex4(p + 6);
	if (low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	*ret_used = 10;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static size_t decode(const char *p, const char *end, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	char *start = to;

	while (p < end) {
		size_t used;

		if (*p != '\\') {
			*to++ = *p++;
		} else if (p[1] == 'u') {
			to += put_utf8(to, read_escape(p + 2, end, &used));
			p += 2 + used;
		} else {
			*to++ = into[strchr(from, p[1]) - from];
			p += 2;
		}
	}
	return (size_t)(to - start);
}

bool scan_text(struct span value, struct arena *arena, struct span *ret_text)
{
	char *to;

	if (value.length < 2 || value.data[0] != '"')
		return false;
	*ret_text = (struct span){ value.data + 1, value.length - 2 };
	if (!memchr(ret_text->data, '\\', ret_text->length))
		return true;
	to = arena_alloc(arena, ret_text->length + 1);
	*ret_text = (struct span){ to, decode(ret_text->data, value.data + value.length - 1, to) };
	return true;
}

bool scan_int(struct span value, int64_t *ret_value)
{
	char text[24];
	char *end;

	if (value.length == 0 || value.length >= sizeof(text))
		return false;
	memcpy(text, value.data, value.length);
	text[value.length] = '\0';
	*ret_value = strtoll(text, &end, 10);
	return *end == '\0' && (isdigit((unsigned char)text[0]) || text[0] == '-');
}
