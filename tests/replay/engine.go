// SPDX-License-Identifier: Apache-2.0

package main

func generateEngine(w *world) (*object, []*object) { return generateFree(w) }
