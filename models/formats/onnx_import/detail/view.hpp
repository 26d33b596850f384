// A value of an ONNX model as a tensor of the network that has the same numbers: its axes may be in another order there, and
// several may be one. So a Transpose or a Reshape of the model is a change of the view, and a layer only where one has to read
// an order that the numbers are not in.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hacscale::detail {

// An axis of a value: its size, and the distance of neighbours along it in the tensor's numbers (by channel, row, column).
struct Axis {
    std::int64_t size = 1;
    std::int64_t stride = 1;
    bool operator==(const Axis&) const = default;
};
using Axes = std::vector<Axis>;

// All of the tensor's numbers, each once.
struct View {
    std::string source;  // the tensor
    Axes axes;           // of the value
};

using Order =
    std::vector<std::size_t>;  // indices of axes, the outermost first; those of one element are left out

Axes row_major(const std::vector<std::int64_t>& sizes);
std::int64_t elements_of(const Axes& axes);
// In the tensor.
Order storage_order(const Axes& axes);
// As the value has them.
Order natural_order(const Axes& axes);
// As storage_order(), with these axes first, in the order in which they are there.
Order order_with_first(const Axes& axes, const std::vector<std::size_t>& first);
inline bool has(const std::vector<std::size_t>& axes, std::size_t axis) {
    return std::ranges::find(axes, axis) != axes.end();
}
// Of some axes; 1 for none.
std::int64_t elements_along(const Axes& axes, const std::vector<std::size_t>& some);
// The same sizes, stored in this order.
Axes stored_in(Axes axes, const Order& order);
// The axes of a value with these sizes and the same numbers in the value's order; nothing where its axes are no parts and
// no unions of the given ones as they are stored.
std::optional<Axes> reshaped(const Axes& axes, const std::vector<std::int64_t>& sizes);

// One step towards a wanted order: neighbouring axes that stay together are one. A prefix of `groups` elements stays; of the
// three blocks after it the `sizes` are given, and `order` says which of them is first, second and third afterwards.
struct PermuteStep {
    std::int64_t groups = 1;
    std::vector<std::int64_t> sizes;
    std::vector<std::size_t> order;
    Order result;  // the order of storage after it
};
// The next step from one order of storage to another of the same axes; nothing where they are equal.
std::optional<PermuteStep> next_step(const Axes& axes, const Order& from, const Order& to);

}  // namespace hacscale::detail
