#pragma once

#include <string>

namespace hacscale {

// For terminals and commands, in ASCII, with this many significant digits at least: "130", "0.0042", never
// "1.3e+02"; all digits before the point, no zeros after a fraction. Reports round: report::significant().
std::string plain_number(double value, int digits = 3);

}  // namespace hacscale
