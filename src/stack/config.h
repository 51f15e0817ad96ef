/* SPDX-License-Identifier: Apache-2.0 */
/* Remote configuration of a stack: which environment it is. */
#ifndef STACK_CONFIG_H
#define STACK_CONFIG_H

#include "json/fields.h"

/* Checks {"environment":"project/name[@version]", …} and leaves it as it is stored: 400 with what is wrong. */
int stack_check_config(struct span *config, struct arena *arena, struct err *e) WARN_UNUSED;

extern const struct field stack_config_fields[];

#endif
