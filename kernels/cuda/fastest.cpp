#include "kernels/cuda/candidate_timing.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>
#include <utility>

#include "base/error.hpp"
#include "base/statistics.hpp"

namespace hacscale::cuda {
namespace {

// Three rounds are enough to drop what is plainly slow, more to tell what is close. Who is within the factor of the
// best after its rounds remains.
struct Stage {
    int rounds;
    double factor;
};
constexpr Stage stages[] = {{3, 1.5}, {3, 1.25}, {3, 1.12}};
constexpr int final_rounds = 6;
constexpr std::size_t min_survivors = 4;  // of a stage, if they are within its factor
constexpr double worth_a_change = 0.97;
constexpr double never = std::numeric_limits<double>::infinity();

double median_or_never(std::vector<double> values) {
    return values.empty() ? never : upper_median(std::move(values));
}

class Contest {
public:
    Contest(std::size_t candidates, const std::function<double(std::size_t)>& time_once, std::uint64_t seed)
        : time_once_(time_once),
          generator_(seed),
          order_(candidates),
          alive_(candidates, true),
          times_(candidates),
          failures_(candidates) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
    }

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
    void drop_the_slow(double factor) {
        std::vector<double> medians;
        for (std::size_t i = 0; i < times_.size(); ++i) {
            if (alive_[i]) medians.push_back(median_or_never(times_[i]));
        }
        if (medians.empty()) return;
        std::sort(medians.begin(), medians.end());
        const std::size_t survivors = std::max(min_survivors, (medians.size() + 1) / 2);
        const double slowest =
            std::min(factor * medians.front(), medians[std::min(survivors, medians.size()) - 1]);
        for (std::size_t i = 0; i < times_.size(); ++i) {
            if (median_or_never(times_[i]) > slowest) alive_[i] = false;
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
            if (first || verdict.median_us[i] < worth_a_change * verdict.median_us[verdict.chosen]) {
                verdict.chosen = i;
            }
        }
        if (verdict.chosen < times_.size()) return verdict;
        std::string text = "no kernel can run it";
        for (const std::string& failure : failures_) text += "; " + failure;
        throw WorkError(text);
    }

private:
    template <typename Body>
    void for_all_alive(const Body& body) {
        // A round and its reverse: a drift falls on all alike.
        if (rounds_++ % 2 == 0) {
            std::shuffle(order_.begin(), order_.end(), generator_);
        } else {
            std::reverse(order_.begin(), order_.end());
        }
        for (const std::size_t i : order_) {
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
    std::mt19937_64 generator_;
    std::vector<std::size_t> order_;  // of this round
    int rounds_ = 0;
    std::vector<bool> alive_;
    std::vector<std::vector<double>> times_;
    std::vector<std::string> failures_;
};

}  // namespace

Verdict fastest(std::size_t candidates, const std::function<double(std::size_t)>& time_once,
                std::uint64_t seed) {
    Contest contest(candidates, time_once, seed);
    contest.warm_up();
    for (const Stage& stage : stages) {
        contest.rounds(stage.rounds);
        contest.drop_the_slow(stage.factor);
    }
    contest.rounds(final_rounds);
    return contest.verdict();
}

}  // namespace hacscale::cuda
