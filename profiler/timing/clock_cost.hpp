// What reading a clock between layers takes, and taking it off.
//
// On a GPU an event between two layers takes time itself, and keeps the second from starting while the first
// drains. What a pass with events takes longer than a plain one (medians, of passes that alternate) is spread evenly
// over the layers: what each layer's event really costs cannot be told apart in such a pass. So the layers' times add
// up to the plain pass by construction, and their sum is no evidence that each is right.
#pragma once

#include <cstdint>
#include <vector>

namespace hacscale {

struct ClockCost {
    double layer_us = 0.0;     // taken off each reading
    std::int64_t clamped = 0;  // readings of which less was taken off, since too little would have been left
    std::int64_t readings = 0;
};

// The least that is left of a reading. When it is used, the layers add up to more than the plain pass.
constexpr double least_share_of_reading = 0.1;

// `passes`: readings of passes with a clock, one entry a layer, which are corrected in place; `plain_us`: the plain
// passes between them. Neither is empty.
ClockCost take_off_clock(std::vector<std::vector<double>>& passes, const std::vector<double>& plain_us);

}  // namespace hacscale
