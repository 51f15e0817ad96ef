/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORG_METADATA_SQL_H
#define ORG_METADATA_SQL_H

#include "org/metadata.h"

extern const struct stmt METADATA_READ;
extern const struct db_column metadata_columns[];

#endif
