/* SPDX-License-Identifier: Apache-2.0 */
/* Joins what works with what counts and traces: the database, the object store and the keys know nothing of these. */
#ifndef START_MEASURE_H
#define START_MEASURE_H

#include "base/app.h"
#include "base/err.h"

/*
 * Opens the host's meter and, when traces are wanted, its ring of them, if they are there, and has the parts of `app` that
 * are open watched; `app` must outlive them. -1 with a sentence when a setting of OpenTelemetry cannot be used.
 */
int measure_start(struct app *app, struct err *e) WARN_UNUSED;

#endif
