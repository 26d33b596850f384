// The CPU backend, loaded once for all tests of a program.
#pragma once

#include "kernels/backend/backend_registry.hpp"

namespace hacscale::testing {

inline const BackendRegistry& registry() {
    static const BackendRegistry loaded = BackendRegistry::load();
    return loaded;
}

inline Backend& cpu_backend() {
    return *registry().find("cpu").backend;
}

}  // namespace hacscale::testing
