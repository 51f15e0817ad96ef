/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CRON_TURN_SQL_H
#define CRON_TURN_SQL_H

#include "db/db.h"

extern const struct stmt TURN_CREATE, TURN_TAKE_OVER;

#endif
