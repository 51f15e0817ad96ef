/* SPDX-License-Identifier: Apache-2.0 */
/* What the fuzz targets share. A broken promise ends the process, which the fuzzer reports with its input. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"

#define PROMISE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* A refusal has a kind and a sentence. */
static inline void promise_refusal(const struct err *e)
{
	PROMISE(e->kind != ERR_NONE);
	PROMISE(e->message[0]);
}

#define PART '\x1e'	/* separates the parts of an input that has several */

/* The next part of the input; false when there is none. */
static inline bool next_part(struct span *rest, struct span *ret_part)
{
	const char *end;

	if (!rest->data)
		return false;
	end = memchr(rest->data, PART, rest->length);
	*ret_part = (struct span){ rest->data, end ? (size_t)(end - rest->data) : rest->length };
	*rest = end ? (struct span){ end + 1, rest->length - ret_part->length - 1 } : (struct span){ NULL, 0 };
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
