/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

void time_text(int64_t us, char ret_text[TIME_TEXT])
{
	time_t seconds = (time_t)(us / 1000000);
	char text[24];
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret_text, TIME_TEXT, "%s.%03dZ", text, (int)(us / 1000 % 1000));
}

void time_words(int64_t us, char ret_text[TIME_TEXT])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret_text, TIME_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

int64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
