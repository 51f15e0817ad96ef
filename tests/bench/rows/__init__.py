# SPDX-License-Identifier: Apache-2.0
"""The rows of docs/performance.md: how each is measured."""
