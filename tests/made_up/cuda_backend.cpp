// The module of a made-up device that answers to "cuda:0".
#include "tests/made_up/made_up_gpu.hpp"

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "cuda",
                                                [] { return hacscale::testing::made_up_gpu("cuda:0"); }};
    return &module;
}
