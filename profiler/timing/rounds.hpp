// Interleaved rounds: every subject that is not done yet has a turn in each round, in random order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "profiler/timing/subject_lost.hpp"
#include "profiler/timing/timing_rules.hpp"

namespace hacscale {

// Subject has visit(rules), done(rules) and result(rules). Ends when all are done or `keep_going`, asked
// before each visit, says no; returns the results so far, in the subjects' order. Throws SubjectLost when the
// device is lost in a visit.
template <typename Subject>
auto time_in_rounds(std::vector<Subject>& subjects, const TimingRules& rules, std::uint64_t seed,
                    const std::function<bool()>& keep_going) {
    std::mt19937_64 generator(seed);
    std::vector<std::size_t> open(subjects.size());
    std::iota(open.begin(), open.end(), std::size_t{0});
    bool interrupted = false;
    while (!open.empty() && !interrupted) {
        std::shuffle(open.begin(), open.end(), generator);
        for (const std::size_t index : open) {
            interrupted = !keep_going();
            if (interrupted) break;
            try {
                subjects[index].visit(rules);
            } catch (const DeviceLost& lost) {
                throw SubjectLost(lost.what(), index);
            }
        }
        std::erase_if(open, [&](std::size_t index) { return subjects[index].done(rules); });
    }
    std::vector<decltype(subjects.front().result(rules))> results;
    for (const Subject& subject : subjects) results.push_back(subject.result(rules));
    return results;
}

}  // namespace hacscale
