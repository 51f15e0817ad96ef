/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of the command line, as clients read them (Semantic Versioning 2.0.0). */
#ifndef BASE_VERSION_H
#define BASE_VERSION_H

#include <stdbool.h>

/* Three numbers, perhaps with -labels and +build behind them, and a v before them; at most 63 characters. */
bool version_valid(const char *text);

#endif
