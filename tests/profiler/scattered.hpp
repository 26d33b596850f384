// Runs of a FakeMachine that never agree: where a clock is coarse, equal ones come out equal to the last bit.
#pragma once

namespace hacscale::testing {

// A FakeMachine::spike between 1 and 2.
inline double scattered(int run) {
    constexpr unsigned multiplier = 2654435761U;  // Knuth's, which spreads neighbours
    return 1.0 + static_cast<double>(static_cast<unsigned>(run) * multiplier % 1000U) / 1000.0;
}

}  // namespace hacscale::testing
