/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a responder of this pulumi-serve has started with exactly these settings before. The first one tries every object store and
 * the key service, so that a wrong setting stops the start; one that takes the place of a responder that died must not wait for a
 * service that is away: most requests need none. What is tried is remembered in the file of src/telemetry/watch.h.
 */
#ifndef START_PROVEN_H
#define START_PROVEN_H

#include <stdbool.h>

/* After settings_load. False without pulumi-serve: then everything is tried at each start. */
bool settings_proven(void);
/* All of them were tried, and are right. */
void settings_prove(void);

#endif
