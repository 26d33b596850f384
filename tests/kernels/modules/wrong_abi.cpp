// A module of an interface that this program does not speak.
#include "kernels/backend/backend.hpp"

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{4711, "wrong_abi", nullptr};
    return &module;
}
