/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUDIT_SQL_H
#define AUDIT_AUDIT_SQL_H

#include "audit/audit.h"

extern const struct stmt AUDIT_RECORD;

#endif
