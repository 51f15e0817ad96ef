/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit_sql.h"

const struct stmt AUDIT_RECORD = STMT("audit.record",
	"INSERT INTO audit_events (id, organization_id, user_id, token_id, event, description, source_ip, created_at) "
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
