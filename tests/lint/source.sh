#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# For make check: what tools/lint/source.py finds in the sources.
command -v python3 >/dev/null || exit 77
exec python3 "${srcdir:-.}/tools/lint/source.py" "${srcdir:-.}"
