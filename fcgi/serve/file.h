/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the run folder that a web server reads: each is the whole old text or the whole new one. */
#ifndef SERVE_FILE_H
#define SERVE_FILE_H

#include "base/buffer.h"

/* Puts the text at `path`: 1 when it is new, 0 when the same text was there. -1 names PULUMI_RUN_DIR. */
int serve_file_replace(const char *path, struct span text, struct err *e) WARN_UNUSED;

#endif
