#include "harness/compare/session_budget.hpp"

namespace hacscale::harness {

bool SessionBudget::allows(std::size_t networks, std::size_t later) const {
    return !left_s_ || left_s_() > network_s_ * static_cast<double>(networks + later);
}

void SessionBudget::begin(std::size_t networks, std::size_t later) {
    if (!left_s_ || networks == 0) {
        return;
    }
    networks_ = networks;
    left_as_it_began_s_ = left_s_();
    session_s_ = left_as_it_began_s_ * static_cast<double>(networks) / static_cast<double>(networks + later);
}

void SessionBudget::end() {
    if (left_s_ && networks_ > 0) {
        network_s_ = (left_as_it_began_s_ - left_s_()) / static_cast<double>(networks_);
    }
}

}  // namespace hacscale::harness
