// A libcupti.so.13 of the right version in which all other functions are missing.
#include <cupti_version.h>

extern "C" CUptiResult cuptiGetVersion(unsigned* version) {
    *version = CUPTI_API_VERSION;
    return CUPTI_SUCCESS;
}
