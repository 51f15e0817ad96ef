/* SPDX-License-Identifier: Apache-2.0 */
/* Every size that a client controls has its ceiling here, next to each other. Bytes unless said. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

#define LIMIT_BODY_DEFAULT (512ULL << 20)	/* decompressed body; PULUMI_MAX_BODY_BYTES changes it */
#define LIMIT_PLAIN_BODY (4ULL << 20)		/* a body that is parsed into a tree */
#define LIMIT_URI 8192
#define LIMIT_PATH_SEGMENT 1024
#define LIMIT_QUERY_PARAMETERS 64		/* count */
#define LIMIT_JSON_DEPTH 512			/* nesting of arrays and objects */
#define LIMIT_NAME 100				/* stack and project names, characters */
#define LIMIT_TAG_NAME 40			/* characters */
#define LIMIT_TAG_VALUE 256			/* characters */
#define LIMIT_TAGS 200				/* tags of one stack, count */
#define LIMIT_DESCRIPTION 256			/* of a token, characters */
#define LIMIT_CONFIG_ROW (64ULL << 10)		/* configuration of one update in its row, where there is a store for larger ones */
#define LIMIT_CONFIG_OBJECT (3ULL << 20)	/* the same in that store; the whole request is a plain body */
#define LIMIT_CONFIG_BYTES (1ULL << 20)		/* the same without such a store; a history has it for each update */
#define LIMIT_HISTORY_CONFIG (64ULL << 20)	/* configurations out of that store in one answer */
#define LIMIT_STACK_CONFIG (64ULL << 10)	/* remote configuration of one stack, read with its row */
#define LIMIT_ENVIRONMENT_BYTES (256ULL << 10)	/* metadata.environment of one update */
#define LIMIT_MESSAGE 4096			/* update message, characters */
#define LIMIT_JOURNAL_ROW (4ULL << 20)		/* stored batch; larger ones become objects */
#define LIMIT_JOURNAL_ENTRIES 100000		/* entries of one batch, count */
#define LIMIT_EVENTS 10000			/* engine events of one batch, count */
#define LIMIT_EVENTS_BYTES (8ULL << 20)		/* stored event batch */
#define LIMIT_EVENT_ROW (64ULL << 10)		/* stored event batch in a row, where there is a store for larger ones */
#define LIMIT_LOG_ENTRY (64ULL << 10)		/* fields of one line of text of an update */
#define LIMIT_SECRETS 10000			/* values of one batch-encrypt or batch-decrypt, count */
#define LIMIT_SECRETS_BODY (128ULL << 20)
#define LIMIT_PAGE_DEFAULT 100			/* rows of a page */
#define LIMIT_PAGE 500
#define LIMIT_TOKENS_PAGE 1000
#define LIMIT_TOKENS_PER_USER 1000
#define LIMIT_TOKEN_SECONDS (2 * 366 * 86400LL)	/* the longest life of a token that ends at all */
#define LIMIT_MAIL_TEXT (64ULL << 10)		/* text of one mail */
#define LIMIT_MAIL_SUBJECT 200			/* characters */
#define LIMIT_MAIL_ADDRESS 254			/* RFC 5321 §4.5.3.1, less the angle brackets */
#define LIMIT_MAILS_PER_ADDRESS 5		/* an hour, of one kind, to one address */
#define LIMIT_MAILS_PER_CALLER 20		/* an hour, caused by one network address that is not signed in */
#define LIMIT_MAILS_PER_USER 100		/* an hour, caused by one user */
#define LIMIT_INVITES 100			/* of one batch, count */
#define LIMIT_INVITES_PENDING 1000		/* of one organization, count */
#define LIMIT_FORM (128ULL << 10)		/* a body of parameters */
#define LIMIT_JWT (32 << 10)			/* token of an identity provider */
#define LIMIT_JWKS (256ULL << 10)		/* keys of an identity provider */
#define LIMIT_JWKS_KEYS 64			/* count */
#define LIMIT_KEY_ID 256
#define LIMIT_KEY_NUMBER 2048			/* of an RSA key: 16384 bits */
#define LIMIT_DISCOVERY (256ULL << 10)		/* answer of an identity provider about itself */
#define LIMIT_ISSUERS 100			/* OIDC issuers of one organization, count */
#define LIMIT_ISSUER_NAME 100			/* characters */
#define LIMIT_ISSUER_URL 512
#define LIMIT_THUMBPRINTS 20			/* of one OIDC issuer, count */
#define LIMIT_POLICIES 100			/* definitions of one auth policy, count */
#define LIMIT_POLICIES_BYTES (256ULL << 10)
#define LIMIT_POLICY_TEXTS 256			/* auth policies out of a store that a process remembers, count */
#define LIMIT_POLICY_TEXT_BYTES (4ULL << 20)	/* the same, together */
#define LIMIT_RULES 50				/* of one definition, count */
#define LIMIT_RULE 1024				/* a claim's path, or the pattern for it */
#define LIMIT_CLAIM_NAMES 16			/* of one path to a claim, count */
#define LIMIT_POLICY_PACK (64ULL << 20)		/* archive of one version of a policy pack */
#define LIMIT_POLICY_PACK_CONTENT (512ULL << 20)	/* the same, decompressed */
#define LIMIT_PACK_POLICIES 2000		/* policies of one policy pack, count */
#define LIMIT_PACK_TEXT (1ULL << 20)		/* description, readme and the like, each */
#define LIMIT_PACK_DETAILS 100			/* tags, or members of the metadata, count */
#define LIMIT_POLICY_PACKS 1000			/* of one organization, count */
#define LIMIT_PACK_VERSIONS 1000		/* of one policy pack that are not deleted, count */
#define LIMIT_POLICY_GROUPS 1000		/* of one organization, count */
#define LIMIT_GROUP_PACKS 200			/* policy packs of one policy group, count */
#define LIMIT_GROUP_CHANGES 1000		/* changes of one request, or stacks or packs of one list, count */
#define LIMIT_PACK_CONFIG (1ULL << 20)		/* configuration of one policy pack in one policy group */
#define LIMIT_PACK_ENVIRONMENTS 50		/* environments that configure a policy pack, count */
#define LIMIT_AUDIT_EXPORT 1000000		/* events of one export, count */

#endif
