/* jansson 2.14. */
#pragma once
#include <jansson.h>
