#include "scaling/planner/detail/labels.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>

namespace hacscale::planner {
namespace {

constexpr std::array members{&Needs::params, &Needs::macs, &Needs::weight_bytes, &Needs::peak_bytes};

// The (gain, need) pairs kept so far that no other one covers: needs rise with gain.
class Staircase {
public:
    // False when a kept pair has no less gain and no more need; else takes the pair in.
    bool take(std::int64_t gain, std::int64_t need) {
        const auto above = steps_.lower_bound(gain);
        if (above != steps_.end() && above->second <= need) return false;
        auto first = above;
        while (first != steps_.begin() && std::prev(first)->second >= need) --first;
        auto last = above != steps_.end() && above->first == gain ? std::next(above) : above;
        steps_.erase(first, last);
        steps_.emplace(gain, need);
        return true;
    }

private:
    std::map<std::int64_t, std::int64_t> steps_;
};

// Of labels that are equal in cost: the first one makes the others needless, where needs do not matter.
auto rank(const Label& label) {
    return std::make_tuple(-label.gain, label.needs.params, label.cost, label.origin.packed());
}

// Only the first of each interval can be kept, so that an order by cost is all it takes.
void keep_by_gain(std::int64_t trim, Labels& labels) {
    std::sort(labels.begin(), labels.end(), [](const Label& a, const Label& b) { return a.cost < b.cost; });
    std::int64_t best = std::numeric_limits<std::int64_t>::min();
    std::size_t kept = 0;
    for (auto label = labels.begin(); label != labels.end();) {
        const std::int64_t end = (label->cost / trim + 1) * trim;
        auto first = label;
        while (++label != labels.end() && label->cost < end) {
            if (label->gain >= first->gain && rank(*label) < rank(*first)) first = label;
        }
        if (kept > 0 && first->gain <= best) continue;
        best = first->gain;
        labels[kept++] = *first;
    }
    labels.resize(kept);
}

// Below, labels come in the order of their costs, so that one that was kept can only be missed for its gain
// or its needs.

void keep_by_gain_and(std::int64_t Needs::*need, std::int64_t floor, Labels& labels) {
    Staircase staircase;
    std::size_t kept = 0;
    for (const Label& label : labels) {
        if (staircase.take(label.gain, std::max(label.needs.*need, floor))) labels[kept++] = label;
    }
    labels.resize(kept);
}

void keep_by_all(const Needs& floor, Labels& labels) {
    const auto covers = [&](const Label& a, const Label& b) {
        if (a.gain < b.gain) return false;
        return std::all_of(members.begin(), members.end(), [&](std::int64_t Needs::*member) {
            return std::max(a.needs.*member, floor.*member) <= std::max(b.needs.*member, floor.*member);
        });
    };
    std::size_t kept = 0;
    for (const Label& label : labels) {
        const auto covered = [&](const Label& other) { return covers(other, label); };
        const auto end = labels.begin() + static_cast<std::ptrdiff_t>(kept);
        if (std::none_of(std::make_reverse_iterator(end), labels.rend(), covered)) labels[kept++] = label;
    }
    labels.resize(kept);
}

}  // namespace

void keep_best(Labels& labels, std::int64_t trim, const Needs& floor) {
    const auto counts = [&](std::int64_t Needs::*member) { return floor.*member != no_cap; };
    const auto number = std::count_if(members.begin(), members.end(), counts);
    if (number == 0) return keep_by_gain(trim, labels);
    std::sort(labels.begin(), labels.end(), [trim](const Label& a, const Label& b) {
        const std::int64_t a_cost = trim == 1 ? a.cost : a.cost / trim;
        const std::int64_t b_cost = trim == 1 ? b.cost : b.cost / trim;
        return a_cost != b_cost ? a_cost < b_cost : rank(a) < rank(b);
    });
    if (number == 1) {
        std::int64_t Needs::*const member = *std::find_if(members.begin(), members.end(), counts);
        keep_by_gain_and(member, floor.*member, labels);
    } else {
        keep_by_all(floor, labels);
    }
    if (trim != 1) {
        std::sort(labels.begin(), labels.end(),
                  [](const Label& a, const Label& b) { return a.cost < b.cost; });
    }
}

}  // namespace hacscale::planner
