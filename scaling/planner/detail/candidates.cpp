#include "scaling/planner/detail/candidates.hpp"

#include <algorithm>
#include <tuple>

namespace hacscale::planner {
namespace {

constexpr std::size_t max_optimistic = 16;
constexpr std::size_t max_real = 8;

// Of some options, in the order of their costs.
Candidate corner_of(std::span<const Candidate> options) {
    Candidate corner = options.front();
    for (const Candidate& option : options) {
        corner.gain = std::max(corner.gain, option.gain);
        corner.params = std::min(corner.params, option.params);
    }
    return corner;
}

// From the last option to the first, which leaves inner widths, whose gains ascend, in the order of their costs.
// Without caps, options that the last one taken makes needless are left out.
void take(const std::vector<BlockOption>& options, std::int64_t max_cost, bool with_caps,
          std::vector<Candidate>& to) {
    for (std::size_t i = options.size(); i-- > 0;) {
        const BlockOption& option = options[i];
        if (option.cost > max_cost) continue;
        if (!with_caps && !to.empty()) {
            const Candidate& last = to.back();
            const bool better = last.cost < option.cost || last.gain > option.gain;
            if (better && last.cost <= option.cost && last.gain >= option.gain) continue;
        }
        to.push_back({option.cost, option.gain, option.usage.params, static_cast<std::uint16_t>(i)});
    }
}

// Most lists descend, but for the last option, which is the derived inner width: these take no sorting.
void put_in_order(std::vector<Candidate>& options) {
    const auto before = [](const Candidate& a, const Candidate& b) {
        return std::tie(a.cost, b.gain, a.params, a.index) < std::tie(b.cost, a.gain, b.params, b.index);
    };
    std::reverse(options.begin(), options.end());
    if (options.size() > 1 && std::is_sorted(options.begin() + 1, options.end(), before)) {
        std::rotate(options.begin(), options.begin() + 1,
                    std::lower_bound(options.begin() + 1, options.end(), options.front(), before));
    } else {
        std::sort(options.begin(), options.end(), before);
    }
}

void drop_needless(std::vector<Candidate>& options) {
    std::size_t kept = 0;
    for (const Candidate& option : options) {
        if (kept == 0 || option.gain > options[kept - 1].gain) options[kept++] = option;
    }
    options.resize(kept);
}

}  // namespace

Candidates::Candidates(const Chain& chain, std::int64_t max_cost, bool with_caps) : chain_(chain) {
    reserve();
    std::vector<Candidate> useful;
    for (const ChainStage& stage : chain.stages) {
        stages_.push_back({ends_.size() - 1, ends_.size() - 1 + stage.first.size()});
        for (const auto* lists : {&stage.first, &stage.further}) {
            for (const std::vector<BlockOption>& options : *lists) {
                useful.clear();
                take(options, max_cost, with_caps, useful);
                put_in_order(useful);
                if (!with_caps) drop_needless(useful);
                add(useful);
            }
        }
    }
}

// Space that is not written to takes no memory.
void Candidates::reserve() {
    std::size_t all = 0;
    std::size_t optimistic = 0;
    std::size_t real = 0;
    for (const ChainStage& stage : chain_.stages) {
        for (const auto* lists : {&stage.first, &stage.further}) {
            for (const std::vector<BlockOption>& options : *lists) {
                all += options.size();
                optimistic += std::min(options.size(), max_optimistic);
                real += std::min(options.size(), max_real);
            }
        }
    }
    useful_.reserve(all);
    optimistic_.reserve(optimistic);
    real_.reserve(real);
}

void Candidates::add(const std::vector<Candidate>& options) {
    for (const Candidate& option : options) useful_.push_back(option.index);
    ends_.push_back(useful_.size());
    const std::size_t groups = std::min(options.size(), max_optimistic);
    for (std::size_t group = 0; group < groups; ++group) {
        const std::size_t begin = group * options.size() / groups;
        const std::size_t end = (group + 1) * options.size() / groups;
        optimistic_.push_back(corner_of({options.data() + begin, end - begin}));
    }
    const auto first = optimistic_.end() - static_cast<std::ptrdiff_t>(groups);
    corners_.push_back(groups == 0 ? Candidate{} : corner_of({first, optimistic_.end()}));
    optimistic_ends_.push_back(optimistic_.size());
    const std::size_t some = std::min(options.size(), max_real);
    for (std::size_t i = 0; i < some; ++i) {
        real_.push_back(options.size() == some ? options[i] : options[i * (options.size() - 1) / (some - 1)]);
    }
    real_ends_.push_back(real_.size());
}

}  // namespace hacscale::planner
