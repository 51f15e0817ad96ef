/* SPDX-License-Identifier: Apache-2.0 */
/* One line per event on standard error, key=value, as the responders write theirs; and systemd's ear. */
#ifndef SERVE_LOG_H
#define SERVE_LOG_H

#include <stdint.h>

#include "base/err.h"

/* `level` is info, warning or error; the format starts with event=…; no line break. */
void serve_log(const char *level, const char *format, ...) PRINTF_LIKE(2, 3);

/* Tells systemd (NOTIFY_SOCKET) a state such as "READY=1"; nothing happens without it. */
void serve_notify(const char *state);

/* The same for a reload, with the time that systemd asks for (Type=notify-reload). */
void serve_notify_reloading(void);

/* Microseconds of a clock that never steps. */
int64_t serve_now_us(void);

#endif
