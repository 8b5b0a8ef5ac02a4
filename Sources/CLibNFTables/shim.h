/* libnftables 1.0.6. */
#pragma once
#include <nftables/libnftables.h>
