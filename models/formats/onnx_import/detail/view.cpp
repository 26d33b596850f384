#include "models/formats/onnx_import/detail/view.hpp"

#include <algorithm>

namespace hacscale::detail {
std::int64_t elements_along(const Axes& axes, const std::vector<std::size_t>& some) {
    std::int64_t product = 1;
    for (const std::size_t axis : some) product *= axes[axis].size;
    return product;
}

Axes row_major(const std::vector<std::int64_t>& sizes) {
    Axes axes(sizes.size());
    std::int64_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        axes[i] = {sizes[i], stride};
        stride *= sizes[i];
    }
    return axes;
}

std::int64_t elements_of(const Axes& axes) {
    return elements_along(axes, natural_order(axes));
}

Order natural_order(const Axes& axes) {
    Order order;
    for (std::size_t i = 0; i < axes.size(); ++i) {
        if (axes[i].size != 1) order.push_back(i);
    }
    return order;
}

Order storage_order(const Axes& axes) {
    Order order = natural_order(axes);
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return axes[a].stride > axes[b].stride; });
    return order;
}

Order order_with_first(const Axes& axes, const std::vector<std::size_t>& first) {
    Order order = storage_order(axes);
    std::stable_partition(order.begin(), order.end(), [&](std::size_t axis) { return has(first, axis); });
    return order;
}

Axes stored_in(Axes axes, const Order& order) {
    std::int64_t stride = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        axes[order[i]].stride = stride;
        stride *= axes[order[i]].size;
    }
    return axes;
}

std::optional<Axes> reshaped(const Axes& axes, const std::vector<std::int64_t>& sizes) {
    // Neighbours that are stored as one axis, from the innermost to the outermost.
    Axes merged;
    for (std::size_t i = axes.size(); i-- > 0;) {
        if (axes[i].size == 1) continue;
        const bool continues = !merged.empty() && axes[i].stride == merged.back().stride * merged.back().size;
        if (continues) {
            merged.back().size *= axes[i].size;
        } else {
            merged.push_back(axes[i]);
        }
    }
    Axes result(sizes.size());
    std::size_t next = 0;
    std::int64_t left = 1;  // elements of the merged axis that no new one has taken
    std::int64_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        result[i] = {sizes[i], stride};
        if (sizes[i] == 1) continue;
        if (left == 1) {
            if (next == merged.size()) return std::nullopt;
            left = merged[next].size;
            stride = merged[next].stride;
            ++next;
        }
        if (left % sizes[i] != 0) return std::nullopt;
        result[i].stride = stride;
        stride *= sizes[i];
        left /= sizes[i];
    }
    if (left != 1 || next != merged.size()) return std::nullopt;
    return result;
}

std::optional<PermuteStep> next_step(const Axes& axes, const Order& from, const Order& to) {
    const auto differ = std::mismatch(from.begin(), from.end(), to.begin());
    const auto here = differ.first;
    const auto there = differ.second;
    if (here == from.end()) return std::nullopt;
    const Order prefix(from.begin(), here);

    // What follows as blocks of axes that are neighbours in both orders.
    std::vector<Order> blocks;
    for (auto axis = here; axis != from.end(); ++axis) {
        const auto place = std::find(there, to.end(), *axis);
        const bool continues = axis != here && place != there && *(place - 1) == *(axis - 1);
        if (!continues) blocks.emplace_back();
        blocks.back().push_back(*axis);
    }
    const auto place_of = [&](const Order& block) {
        return std::find(there, to.end(), block.front()) - there;
    };

    // More than three are made three: the wanted first block, what is before it and what is after it.
    if (blocks.size() > 3) {
        const auto wanted = std::ranges::find(blocks, std::ptrdiff_t{0}, place_of);
        Order before;
        Order after;
        for (auto block = blocks.begin(); block != wanted; ++block) {
            before.insert(before.end(), block->begin(), block->end());
        }
        for (auto block = wanted + 1; block != blocks.end(); ++block) {
            after.insert(after.end(), block->begin(), block->end());
        }
        blocks =
            after.empty() ? std::vector<Order>{before, *wanted} : std::vector<Order>{before, *wanted, after};
        std::vector<std::size_t> order{1, 0};
        if (!after.empty()) order.push_back(2);
        PermuteStep step{elements_along(axes, prefix), {}, order, prefix};
        for (const Order& block : blocks) step.sizes.push_back(elements_along(axes, block));
        for (const std::size_t block : order) {
            step.result.insert(step.result.end(), blocks[block].begin(), blocks[block].end());
        }
        return step;
    }
    // Two blocks that change places behind what stays are rows and columns.
    Order stays = prefix;
    if (blocks.size() == 2 && !prefix.empty()) {
        blocks.insert(blocks.begin(), prefix);
        stays.clear();
    }
    PermuteStep step{elements_along(axes, stays), {}, {}, to};
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        step.sizes.push_back(elements_along(axes, blocks[i]));
        step.order.push_back(i);
    }
    std::ranges::sort(step.order, {}, [&](std::size_t block) {
        return std::ranges::find(to, blocks[block].front()) - to.begin();
    });
    return step;
}

}  // namespace hacscale::detail
