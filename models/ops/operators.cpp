#include <fmt/format.h>

#include "base/error.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr std::array operators{&conv_operator,    &max_pool_operator,       &global_avg_pool_operator,
                               &linear_operator,  &squeeze_excite_operator, &scale_shift_operator,
                               &avg_pool_operator};

}  // namespace

const Operator& operator_of(LayerKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    if (index >= operators.size()) throw InputError(fmt::format("there is no operator {}", index));
    return *operators[index];
}

std::span<const Operator* const> all_operators() {
    return operators;
}

}  // namespace hacscale
