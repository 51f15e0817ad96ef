/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people and clients read them. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

#define TIME_TEXT 32	/* with its NUL */

/* RFC 3339 in UTC with milliseconds, which sorts like the time. `us`: microseconds since 1970, years 1970 to 9999. */
void time_text(int64_t us, char ret_text[TIME_TEXT]);
/* The same to the second, for sentences: 2026-05-04 03:02:01 UTC. */
void time_words(int64_t us, char ret_text[TIME_TEXT]);
/* Nanoseconds of a clock that never steps. */
int64_t clock_ns(void);

#endif
