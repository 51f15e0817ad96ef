/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: a job with a period is done by one host a period. The claim on the turn lasts a period. */
#ifndef CRON_TURN_H
#define CRON_TURN_H

#include "claim/claim.h"

/* 1 when it is this process's turn; 0 when the last one is less than `seconds` ago. */
int turn_take(struct db *db, const char *job, int seconds, struct arena *arena, struct claim *ret_turn, struct err *e) WARN_UNUSED;

#endif
