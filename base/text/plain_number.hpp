#pragma once

#include <string>

namespace hacscale {

// With this many significant digits at least, as people write figures: "130", "0.0042", never "1.3e+02".
// Digits before the point all stand, zeros at the end of a fraction do not.
std::string plain_number(double value, int digits = 3);

}  // namespace hacscale
