// The device was lost, and it is known during whose turn. Kernels end before a turn does, so an error of one
// cannot come up in the turn of another.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.hpp"

namespace hacscale {

class SubjectLost : public DeviceLost {
public:
    SubjectLost(const std::string& message, std::size_t subject) : DeviceLost(message), subject_(subject) {}
    std::size_t subject() const { return subject_; }  // its place in the list that was to be measured

private:
    std::size_t subject_;
};

}  // namespace hacscale
