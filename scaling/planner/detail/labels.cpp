#include "scaling/planner/detail/labels.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <tuple>

namespace hacscale::planner {
namespace {

constexpr std::array members{&ResourceUsage::params, &ResourceUsage::macs, &ResourceUsage::weight_bytes,
                             &ResourceUsage::peak_bytes};

// The (gain, usage) pairs kept so far that no other one covers: usage rises with gain.
class Staircase {
public:
    // False when a kept pair has no less gain and no more usage; else takes the pair in.
    bool take(std::int64_t gain, std::int64_t resource) {
        const auto above = steps_.lower_bound(gain);
        if (above != steps_.end() && above->second <= resource) return false;
        auto first = above;
        while (first != steps_.begin() && std::prev(first)->second >= resource) --first;
        auto last = above != steps_.end() && above->first == gain ? std::next(above) : above;
        steps_.erase(first, last);
        steps_.emplace(gain, resource);
        return true;
    }

private:
    std::map<std::int64_t, std::int64_t> steps_;
};

// Of labels that are equal in cost: the first one makes the others needless, where usage does not matter.
auto rank(const Label& label) {
    return std::make_tuple(-label.gain, label.usage.params, label.cost, label.origin.packed());
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
// or its usage.

void keep_by_gain_and(std::int64_t ResourceUsage::*resource, std::int64_t floor, Labels& labels) {
    Staircase staircase;
    std::size_t kept = 0;
    for (const Label& label : labels) {
        if (staircase.take(label.gain, std::max(label.usage.*resource, floor))) labels[kept++] = label;
    }
    labels.resize(kept);
}

void keep_by_all(const ResourceUsage& floor, Labels& labels) {
    const auto covers = [&](const Label& a, const Label& b) {
        if (a.gain < b.gain) return false;
        return std::all_of(members.begin(), members.end(), [&](std::int64_t ResourceUsage::*resource) {
            return std::max(a.usage.*resource, floor.*resource) <=
                   std::max(b.usage.*resource, floor.*resource);
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

void keep_best(Labels& labels, std::int64_t trim, const ResourceUsage& floor) {
    const auto counts = [&](std::int64_t ResourceUsage::*resource) { return floor.*resource != no_cap; };
    const auto number = std::count_if(members.begin(), members.end(), counts);
    if (number == 0) return keep_by_gain(trim, labels);
    std::sort(labels.begin(), labels.end(), [trim](const Label& a, const Label& b) {
        const std::int64_t a_cost = trim == 1 ? a.cost : a.cost / trim;
        const std::int64_t b_cost = trim == 1 ? b.cost : b.cost / trim;
        return a_cost != b_cost ? a_cost < b_cost : rank(a) < rank(b);
    });
    if (number == 1) {
        std::int64_t ResourceUsage::*const resource = *std::find_if(members.begin(), members.end(), counts);
        keep_by_gain_and(resource, floor.*resource, labels);
    } else {
        keep_by_all(floor, labels);
    }
    if (trim != 1) {
        std::sort(labels.begin(), labels.end(),
                  [](const Label& a, const Label& b) { return a.cost < b.cost; });
    }
}

}  // namespace hacscale::planner
