#include "kernels/cuda/fastest.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/median.hpp"

namespace hacscale::cuda {
namespace {

constexpr int screening_rounds = 3;  // enough to drop what is plainly slow
constexpr double screening_factor = 1.5;
constexpr int timed_rounds = 12;
constexpr double worth_a_change = 0.97;
constexpr double never = std::numeric_limits<double>::infinity();

double median_or_never(std::vector<double> values) {
    return values.empty() ? never : median(std::move(values));
}

class Contest {
public:
    Contest(std::size_t candidates, const std::function<double(std::size_t)>& time_once)
        : time_once_(time_once), alive_(candidates, true), times_(candidates), failures_(candidates) {}

    // The first run of each loads its code, and does not count.
    void warm_up() {
        for_all_alive([this](std::size_t i) { time_once_(i); });
    }

    void rounds(int count) {
        for (int r = 0; r < count; ++r) {
            for_all_alive([this](std::size_t i) { times_[i].push_back(time_once_(i)); });
        }
    }

    // Their times stay: one of them is still taken if all faster ones fail later.
    void drop_the_slow() {
        double best = never;
        for (const auto& times : times_) best = std::min(best, median_or_never(times));
        for (std::size_t i = 0; i < times_.size(); ++i) {
            if (median_or_never(times_[i]) > screening_factor * best) alive_[i] = false;
        }
    }

    Verdict verdict() const {
        Verdict verdict;
        verdict.failures = failures_;
        for (const auto& times : times_) verdict.median_us.push_back(median_or_never(times));
        verdict.chosen = times_.size();
        for (std::size_t i = 0; i < times_.size(); ++i) {
            if (times_[i].empty()) continue;
            const bool first = verdict.chosen == times_.size();
            if (first || verdict.median_us[i] < worth_a_change * verdict.median_us[verdict.chosen])
                verdict.chosen = i;
        }
        if (verdict.chosen < times_.size()) return verdict;
        std::string text = "no kernel can run it";
        for (const std::string& failure : failures_) text += "; " + failure;
        throw WorkError(text);
    }

private:
    template <typename Body>
    void for_all_alive(const Body& body) {
        for (std::size_t i = 0; i < alive_.size(); ++i) {
            if (!alive_[i]) continue;
            try {
                body(i);
            } catch (const DeviceLost&) {
                throw;
            } catch (const std::runtime_error& failure) {
                alive_[i] = false;
                times_[i].clear();
                failures_[i] = failure.what();
            }
        }
    }

    const std::function<double(std::size_t)>& time_once_;
    std::vector<bool> alive_;
    std::vector<std::vector<double>> times_;
    std::vector<std::string> failures_;
};

}  // namespace

Verdict fastest(std::size_t candidates, const std::function<double(std::size_t)>& time_once) {
    Contest contest(candidates, time_once);
    contest.warm_up();
    contest.rounds(screening_rounds);
    contest.drop_the_slow();
    contest.rounds(timed_rounds);
    return contest.verdict();
}

}  // namespace hacscale::cuda
