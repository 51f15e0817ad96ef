/* SPDX-License-Identifier: Apache-2.0 */
/* XML as object stores and token services answer it: elements with text. Documents with a DTD are refused. */
#ifndef NET_XML_H
#define NET_XML_H

#include "base/arena.h"
#include "base/buffer.h"

/* Called at the end of each element with the text that stood in it since its start or its last child. 1 goes on. */
typedef int xml_element(void *context, const char *name, const char *text, struct err *e);
/* 1; 0 when it is no XML; -1 when `each` failed. */
int xml_walk(struct span text, xml_element *each, void *context, struct err *e) WARN_UNUSED;
/* The text of the first element of that name, in the arena; NULL when there is none. */
const char *xml_text(struct span text, const char *name, struct arena *arena);

#endif
