// The time of one comparison, shared out over its sessions of timing: rounds of the search, and the final
// sessions, without which the search was for nothing. Without a limit every session may take as long as it
// likes.
#pragma once

#include <cstddef>
#include <functional>
#include <limits>

namespace hacscale::harness {

class SessionBudget {
public:
    SessionBudget() = default;
    // `left_s` tells what the comparison may still take, seconds.
    explicit SessionBudget(std::function<double()> left_s) : left_s_(std::move(left_s)) {}

    // Whether a session of so many networks leaves the time for one of `later` networks behind it, at the
    // pace of the last.
    bool allows(std::size_t networks, std::size_t later) const;
    // A session of so many networks, and the last before one of `later` networks; 0 when none has to follow.
    void begin(std::size_t networks, std::size_t later);
    void end();
    // At most, for the session that began last.
    double session_s() const { return session_s_; }

private:
    std::function<double()> left_s_;
    double left_as_it_began_s_ = 0.0;
    std::size_t networks_ = 0;
    double network_s_ = 0.0;  // that one network took in the last session
    double session_s_ = std::numeric_limits<double>::infinity();
};

}  // namespace hacscale::harness
