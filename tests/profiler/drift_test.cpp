// How often the program notices that the machine drifts by 20 % while it measures, over many made-up machines.
//
// HACSCALE_DRIFT_RUNS=1000 in the environment says how many runs each kind of drift has, and prints the rows of the
// table in docs/method.md.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string>

#include "tests/profiler/drifting_device.hpp"

namespace hacscale {
namespace {

using namespace testing;

constexpr double slow_machine = 1.2;
// Of what the quiet machine would have given; three times as much as the interval of a median may be.
constexpr double right_within = 0.03;

// Draws a drift for a measurement that takes so long on the quiet machine.
using DrawDrift = std::function<Drift(Random& random, double quiet_us)>;

Drift step(Random& random, double quiet_us, double before, double after) {
    const double at_us = uniform(random, 0.0, quiet_us);
    return [=](double us) { return us < at_us ? before : after; };
}

Drift ramp(double quiet_us, double from, double to) {
    return [=](double us) { return from + (to - from) * std::min(1.0, us / quiet_us); };
}

Drift alternating(Random& random, double phase_us) {
    const double shift_us = uniform(random, 0.0, 2.0 * phase_us);
    return
        [=](double us) { return std::fmod(us + shift_us, 2.0 * phase_us) < phase_us ? 1.0 : slow_machine; };
}

// Of some cores one is slow, and each pass runs on any of them.
Drift slow_core_of(Random& random, double cores) {
    return [=, drawn = Random(random())](double) mutable {
        return uniform(drawn, 0.0, cores) < 1.0 ? slow_machine : 1.0;
    };
}

// The same, but passes stay on a core for a while, of random length.
Drift slow_core_for_a_while(Random& random, double cores, double mean_stay_us) {
    return [=, drawn = Random(random()), until_us = 0.0, now = 1.0](double us) mutable {
        while (us >= until_us) {
            until_us += std::exponential_distribution<double>(1.0 / mean_stay_us)(drawn);
            now = uniform(drawn, 0.0, cores) < 1.0 ? slow_machine : 1.0;
        }
        return now;
    };
}

struct Kind {
    std::string name;
    std::string words;
    DrawDrift draw;
};

std::ostream& operator<<(std::ostream& out, const Kind& kind) {
    return out << kind.name;
}

Kind phases(int parts) {
    return {"Phases" + std::to_string(parts), "phases of 1/" + std::to_string(parts) + " of the time",
            [parts](Random& random, double us) { return alternating(random, us / parts); }};
}

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all{
        {"Step", "a step: slower from a random moment on",
         [](Random& random, double us) { return step(random, us, 1.0, slow_machine); }},
        {"StepBack", "a step back: slower until a random moment",
         [](Random& random, double us) { return step(random, us, slow_machine, 1.0); }},
        {"Ramp", "a ramp: slower and slower", [](Random&, double us) { return ramp(us, 1.0, slow_machine); }},
        {"RampBack", "a ramp back: faster and faster",
         [](Random&, double us) { return ramp(us, slow_machine, 1.0); }},
        {"SlowCoreOfTwo", "a slow core of two, any for each pass",
         [](Random& random, double) { return slow_core_of(random, 2.0); }},
        {"SlowCoreOfFour", "a slow core of four, any for each pass",
         [](Random& random, double) { return slow_core_of(random, 4.0); }},
        {"SlowCoreOfTwoForAWhile", "a slow core of two, any for 1/12 of the time",
         [](Random& random, double us) { return slow_core_for_a_while(random, 2.0, us / 12.0); }},
        {"SlowCoreOfFourForAWhile", "a slow core of four, any for 1/12 of the time",
         [](Random& random, double us) { return slow_core_for_a_while(random, 4.0, us / 12.0); }},
        phases(2),
        phases(4),
        phases(8),
        phases(12),
        phases(14),
        phases(16),
        phases(32),
    };
    return all;
}

// What became of runs: noticed where a network is noisy, else right or wrong.
struct Outcomes {
    int runs = 0;
    int noticed = 0;
    int right = 0;
    int wrong = 0;

    void add(bool noisy, double error) {
        ++runs;
        ++(noisy ? noticed : std::abs(error) <= right_within ? right : wrong);
    }
    std::string percent() const {
        const auto share = [this](int count) { return 100.0 * count / runs; };
        char text[80];
        std::snprintf(text, sizeof text, "%.1f | %.1f | %.1f", share(noticed), share(right), share(wrong));
        return text;
    }
};

// As a row of the table (row_values) or a comparison (harness/measure/device_access) sees it.
bool noisy(const NetworkMeasurement& measured) {
    return !measured.timing.converged || !measured.reason.empty();
}

// Of the network and of its layers together, whichever is farther off.
double error_of(const NetworkMeasurement& measured, const Network& network) {
    const double truth_us = DriftingDevice::truth_us(network);
    double layers_us = 0.0;
    for (const MeanEstimate& node : measured.timing.nodes) layers_us += node.mean;
    return std::max(std::abs(measured.timing.total.median / truth_us - 1.0),
                    std::abs(layers_us / truth_us - 1.0));
}

double ratio_error(const std::vector<NetworkMeasurement>& measured, const std::vector<Network>& networks) {
    const double truth = DriftingDevice::truth_us(networks[1]) / DriftingDevice::truth_us(networks[0]);
    return measured[1].timing.total.median / measured[0].timing.total.median / truth - 1.0;
}

int asked_runs() {
    const char* runs = std::getenv("HACSCALE_DRIFT_RUNS");
    return runs == nullptr ? 0 : std::atoi(runs);
}

class Drifts : public ::testing::Test {
protected:
    // The program's own, with less patience: what is noticed only when the time is up takes most of the tests' time.
    static MeasureSettings settings() {
        MeasureSettings settings;
        settings.rules.max_seconds = 0.25;
        return settings;
    }

    static double quiet_us(const std::vector<Network>& networks) {
        DriftingDevice device(1, no_drift);
        device.measure(networks, settings());
        return device.measured_for_us();
    }

    // Runs of each kind alone, and of two networks together.
    void simulate(const DrawDrift& draw) {
        const double one_us = quiet_us(one_);
        const double two_us = quiet_us(two_);
        for (int run = 0; run < runs_; ++run) {
            Random random(run);
            DriftingDevice one(random(), draw(random, one_us));
            const auto alone = one.measure(one_, settings());
            latency_.add(noisy(alone[0]), error_of(alone[0], one_[0]));
            DriftingDevice two(random(), draw(random, two_us));
            const auto compared = two.measure(two_, settings());
            ratio_.add(noisy(compared[0]) || noisy(compared[1]), ratio_error(compared, two_));
        }
    }
    void print(const std::string& words) const {
        if (asked_runs() == 0) return;
        std::printf("| %s | %s | %s |\n", words.c_str(), latency_.percent().c_str(),
                    ratio_.percent().c_str());
    }

    const int runs_ = asked_runs() > 0 ? asked_runs() : 200;
    const std::vector<Network> one_{DriftingDevice::network(8)};
    const std::vector<Network> two_{DriftingDevice::network(8), DriftingDevice::network(32)};
    Outcomes latency_;
    Outcomes ratio_;
};

TEST_F(Drifts, OfAQuietMachineAreNotSeen) {
    simulate([](Random&, double) { return no_drift; });
    print("none: the quiet machine");
    EXPECT_LE(100 * latency_.noticed, runs_);
    EXPECT_LE(100 * ratio_.noticed, runs_);
    EXPECT_LE(100 * latency_.wrong, runs_);
    EXPECT_LE(100 * ratio_.wrong, runs_);
}

class DriftsOfAKind : public Drifts, public ::testing::WithParamInterface<Kind> {};

TEST_P(DriftsOfAKind, AreSeenOrDoNoHarm) {
    simulate(GetParam().draw);
    print(GetParam().words);
    EXPECT_LE(100 * latency_.wrong, runs_);
    EXPECT_LE(100 * ratio_.wrong, runs_);
}

INSTANTIATE_TEST_SUITE_P(All, DriftsOfAKind, ::testing::ValuesIn(kinds()),
                         [](const auto& kind) { return kind.param.name; });

// A table of the quiet machine, and a later process on one that is slower throughout.
TEST_F(Drifts, FromTableToRunAreSeen) {
    for (int run = 0; run < runs_; ++run) {
        Random random(run);
        DriftingDevice before(random(), no_drift);
        const auto row = before.measure(one_, settings());
        const auto later = [&](const std::vector<Network>& networks) {
            DriftingDevice device(random(), [](double) { return slow_machine; });
            const MeasureSettings after = settings();
            expect_speed(device.handle(), after, row[0].timing.reference_us.value());
            return device.measure(networks, after);
        };
        const auto alone = later(one_);
        latency_.add(noisy(alone[0]), error_of(alone[0], one_[0]));
        const auto compared = later(two_);
        ratio_.add(noisy(compared[0]) || noisy(compared[1]), ratio_error(compared, two_));
    }
    print("slower throughout, after a table of the quiet machine");
    EXPECT_LE(100 * latency_.wrong, runs_);
    EXPECT_LE(100 * ratio_.wrong, runs_);
}

}  // namespace
}  // namespace hacscale
