/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HOST_CONFIG_SUGGEST_H
#define HOST_CONFIG_SUGGEST_H

/*
 * The one of name_at(0), name_at(1), ... (NULL ends them) that `word` most likely was to be: one or
 * two letters are missing, too many, others or in the other order. NULL: none is near.
 */
const char *suggest(const char *word, const char *(*name_at)(unsigned i));

#endif
