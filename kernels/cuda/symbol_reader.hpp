// Looks up functions of a library that was opened at run time, and remembers which of them it lacks.
#pragma once

#include <string>

#include "kernels/cuda/libraries.hpp"

namespace hacscale::cuda {

class SymbolReader {
public:
    explicit SymbolReader(const Library& library) : library_(library) {}

    template <typename Function>
    void read(const char* name, Function& function) {
        read_if_there(name, function);
        if (function == nullptr) missing_ += (missing_.empty() ? "" : ", ") + std::string(name);
    }
    // For functions that older libraries may lack: null then.
    template <typename Function>
    void read_if_there(const char* name, Function& function) const {
        function = reinterpret_cast<Function>(library_.symbol(name));
    }
    // Names of what read() did not find, separated by commas; empty when all are there.
    const std::string& missing() const { return missing_; }

private:
    const Library& library_;
    std::string missing_;
};

}  // namespace hacscale::cuda
