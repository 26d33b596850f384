// Stands in for a cuDNN of another major version, and for the libraries it consists of.
#include <cstddef>

extern "C" std::size_t cudnnGetVersion() {
    return 8907;
}
