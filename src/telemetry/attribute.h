/* SPDX-License-Identifier: Apache-2.0 */
/* Message KeyValue of opentelemetry/proto/common/v1/common.proto, as field `field` of the message that is being written. */
#ifndef TELEMETRY_ATTRIBUTE_H
#define TELEMETRY_ATTRIBUTE_H

#include "telemetry/wire.h"

/* What is no UTF-8 becomes question marks: a receiver refuses the whole request for one such byte. */
void attribute_text(struct buffer *b, unsigned field, const char *key, struct span value);
void attribute_int(struct buffer *b, unsigned field, const char *key, int64_t value);

#endif
