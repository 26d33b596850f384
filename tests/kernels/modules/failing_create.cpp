// A module that loads on a machine that cannot run it.
#include "base/error.hpp"
#include "kernels/backend/backend.hpp"

namespace {

std::unique_ptr<hacscale::Backend> create() {
    throw hacscale::MissingError("this machine has no driver; install one");
}

}  // namespace

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "failing_create", create};
    return &module;
}
