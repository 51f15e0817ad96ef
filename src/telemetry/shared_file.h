/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of one size that all processes of a host map, in the run folder: what it holds survives each of them. It begins with a
 * mark of eight bytes that says its shape; one of another shape is not opened, and is replaced by whoever makes it.
 */
#ifndef TELEMETRY_SHARED_FILE_H
#define TELEMETRY_SHARED_FILE_H

#include "base/buffer.h"

#define SHARED_MARK 8

/* The map of the file and its descriptor; NULL when it is not there, or has another size or mark. */
void *shared_file_open(const char *path, const char mark[SHARED_MARK], size_t size, int *ret_fd);
void shared_file_close(void *map, size_t size, int fd);
/* Makes it under its name at once, nought but for `head`, with which it begins: the mark and what follows. */
int shared_file_make(const char *path, struct span head, size_t size, struct err *e) WARN_UNUSED;

#endif
