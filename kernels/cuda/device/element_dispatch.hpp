// From a data type that is known at run time to the code made for it.
#pragma once

#include <type_traits>

#include "kernels/cuda/device/elements.hpp"

namespace hacscale::cuda {

template <int Value>
using Constant = std::integral_constant<int, Value>;

// Calls visit(T{}) with the element type: float for f32 and tf32.
template <typename Visit>
void with_element(DataType type, Visit&& visit) {
    switch (type) {
        case DataType::f32:
        case DataType::tf32:
            visit(float{});
            break;
        case DataType::f16:
            visit(__half{});
            break;
        case DataType::bf16:
            visit(__nv_bfloat16{});
            break;
        case DataType::i8:
            break;  // no tensor here has it
    }
}

// Calls visit(T{}, Constant<V>{}): V elements an access, 16 bytes of them when `vectors`, else one.
template <typename Visit>
void with_vector(DataType type, bool vectors, Visit&& visit) {
    with_element(type, [&](auto element) {
        using T = decltype(element);
        if (vectors) {
            visit(element, Constant<vector_width<T>>{});
        } else {
            visit(element, Constant<1>{});
        }
    });
}

// Elements in 16 bytes.
inline int vector_width_of(DataType type) {
    return vector_bytes / static_cast<int>(size_of(type));
}

}  // namespace hacscale::cuda
