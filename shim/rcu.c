// SPDX-License-Identifier: BSD-2-Clause
#include "shim/rcu.h"

#ifdef __SANITIZE_THREAD__
char rcu_grace_periods;
#endif
