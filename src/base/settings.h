/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings by name. The environment is the one truth: settings_load copies what the configuration
 * file adds to it, so that children inherit it. Refuses names that settings.def does not list.
 */
#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/err.h"

/*
 * Reads the file that PULUMI_API_CONFIG names, or PKG_SYSCONFDIR/pulumi-api.conf when it exists, and
 * reports unknown PULUMI_… variables on standard error. -1 with a sentence in e->detail.
 */
int settings_load(struct err *e) WARN_UNUSED;
/* The value, or the default; NULL when there is none. Empty counts as unset. */
const char *setting(const char *name);
/* The value, or -1 with a sentence that names the setting. */
int setting_required(const char *name, const char **ret_value, struct err *e) WARN_UNUSED;
/* A whole number from low to high, or -1 with a sentence. */
int setting_int(const char *name, int64_t low, int64_t high, int64_t *ret_value, struct err *e) WARN_UNUSED;
/* true, 1, false or 0, or -1 with a sentence. */
int setting_bool(const char *name, bool *ret_value, struct err *e) WARN_UNUSED;
/* The table for --help: names that start with one of the comma-separated groups ("database,objects"), NULL: all. */
void settings_help(FILE *out, const char *groups);
/* Appends a line NAME=VALUE for each that has a value, passwords too: for a digest, and for no log. */
void settings_text(struct buffer *out);

#endif
