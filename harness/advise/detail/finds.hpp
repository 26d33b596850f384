// What the sentence and the lines of an advice name.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "scaling/analysis/advise.hpp"

namespace hacscale::harness {

struct Find {
    std::string name;
    const WidthAdvice* width = nullptr;
};

// What decided for the layers with free capacity, the largest share of free channels first.
std::vector<Find> free_widths(const CapacityAdvice& capacity);

// Widths that save more than their share by being narrower, the most time saved first.
std::vector<Find> worthwhile_drops(const CapacityAdvice& capacity);

// Of the layers whose channels can be chosen.
std::ptrdiff_t layers_in_state(const CapacityAdvice& capacity, CapacityState state);

}  // namespace hacscale::harness
