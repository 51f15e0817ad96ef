/* SPDX-License-Identifier: Apache-2.0 */
/* Joins what works with what counts: the database, the object store and the keys know nothing of the meter. */
#ifndef START_MEASURE_H
#define START_MEASURE_H

#include "base/app.h"

/* Opens the host's meter, if there is one, and has the parts of `app` that are open watched. */
void measure_start(struct app *app);

#endif
