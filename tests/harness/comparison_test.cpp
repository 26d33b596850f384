#include "harness/compare/compare.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>

#include "base/error.hpp"
#include "fixture.hpp"
#include "harness/compare/answer.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "records/json.hpp"
#include "scaling/strategies/strategy.hpp"
#include "synthetic_table.hpp"

namespace hacscale::harness {
namespace {

class ComparisonTest : public FolderTest {
protected:
    ComparisonTest() { write_synthetic_table(path("t.db")); }

    records::ComparisonRecord compared(const ComparisonSettings& settings, const TimeNetworks& time) const {
        const Table table = Table::open(path("t.db"), OpenMode::read);
        const ModelView view(table, find_model("resnet20-cifar"), {});
        return compare(view, settings, time);
    }
};

ComparisonSettings at_budget(double budget) {
    ComparisonSettings settings;
    settings.budget = budget;
    return settings;
}

const records::StrategyRow& row_named(const records::ComparisonRecord& record, const std::string& name) {
    return *std::find_if(record.strategies.begin(), record.strategies.end(),
                         [&](const records::StrategyRow& row) { return row.strategy == name; });
}

TEST_F(ComparisonTest, PredictsEveryStrategyWithoutADevice) {
    const records::ComparisonRecord record = compared(at_budget(1.2), {});
    ASSERT_EQ(record.strategies.size(), usual_strategies(1.2).size());
    EXPECT_EQ(record.base.status, records::StrategyStatus::unverified);
    for (const records::StrategyRow& row : record.strategies) {
        EXPECT_EQ(row.status, records::StrategyStatus::unverified) << row.strategy;
        EXPECT_LE(*row.predicted_us, 1.2 * *record.base.predicted_us * (1 + 1e-9)) << row.strategy;
        EXPECT_FALSE(row.measured_us.has_value()) << row.strategy;
        EXPECT_GT(*row.utilization, 0.0) << row.strategy;
        EXPECT_EQ(choice_of(parse_model(row.spec, row.strategy)), *row.choice) << row.strategy;
    }
    EXPECT_GT(*row_named(record, "hacscale").gain, 0.0);
}

TEST_F(ComparisonTest, PredictsSmallerNetworksBelowOne) {
    const records::ComparisonRecord record = compared(at_budget(0.7), {});
    ASSERT_EQ(record.strategies.size(), strategies().size());
    const records::StrategyRow& own = row_named(record, "hacscale");
    ASSERT_EQ(own.status, records::StrategyStatus::unverified) << own.reason;
    EXPECT_LE(*own.predicted_us, 0.7 * *record.base.predicted_us * (1 + 1e-9));
    EXPECT_LT(*own.gain, 0.0);
    EXPECT_EQ(row_named(record, "l1-pruning").status, records::StrategyStatus::infeasible);
    const std::vector<const records::StrategyRow*> best = ranked(record);
    ASSERT_FALSE(best.empty());
    EXPECT_EQ(best.front()->strategy, "hacscale");
    EXPECT_TRUE(keepers_of_base(record).empty());
}

TEST_F(ComparisonTest, ABudgetInMillisecondsIsConvertedAndKept) {
    const records::ComparisonRecord by_ratio = compared(at_budget(0.8), {});
    ComparisonSettings settings;
    settings.strategies = {"hacscale"};
    settings.budget = Budget(Budget::Unit::microseconds, 0.8 * *by_ratio.base.predicted_us);
    const records::ComparisonRecord record = compared(settings, {});
    EXPECT_NEAR(record.budget, 0.8, 1e-9);
    EXPECT_EQ(record.budget_given, settings.budget.text());
    EXPECT_EQ(records::read_comparison(records::JsonPlace::parse(to_json(record), "test")).budget_given,
              record.budget_given);
}

TEST_F(ComparisonTest, EveryNetworkThatAStrategyChoseHasItsLayersOnce) {
    const records::ComparisonRecord record = compared(at_budget(1.3), {});
    std::map<std::string, std::string> hash_of{{"base", record.base.model_hash}};
    for (const records::StrategyRow& row : record.strategies) {
        hash_of[row.strategy] = row.model_hash;
    }
    std::set<std::string> hashes{record.base.model_hash, hash_of["hacscale"]};
    for (const records::StrategyLayers& strategy : record.strategy_layers) {
        EXPECT_TRUE(hashes.insert(hash_of[strategy.strategies.front()]).second)
            << strategy.strategies.front();
        EXPECT_FALSE(strategy.layers.empty());
        for (const std::string& name : strategy.strategies) {
            EXPECT_EQ(hash_of[name], hash_of[strategy.strategies.front()]) << name;
        }
    }
    for (const auto& [name, hash] : hash_of) {
        EXPECT_TRUE(hashes.contains(hash)) << name;
    }
}

// On a device that needs more than predicted for whatever is larger, choices are corrected until they fit.
TEST_F(ComparisonTest, MeasuredChoicesKeepTheBudget) {
    for (const double factor : {0.9, 1.0, 1.1}) {
        const records::ComparisonRecord record = compared(at_budget(1.3), synthetic_device(factor));
        EXPECT_EQ(record.base.status, records::StrategyStatus::ok);
        EXPECT_DOUBLE_EQ(*record.base.latency_ratio, 1.0);
        for (const records::StrategyRow& row : record.strategies) {
            ASSERT_TRUE(row.latency_ratio.has_value()) << row.strategy << ": " << row.reason;
            EXPECT_EQ(row.status, records::StrategyStatus::ok) << row.strategy << " at " << factor;
            EXPECT_LE(*row.latency_ratio, 1.3 + 1e-9) << row.strategy << " at " << factor;
        }
    }
}

TEST_F(ComparisonTest, MeasuredChoicesKeepABudgetBelowOne) {
    ComparisonSettings settings = at_budget(0.8);
    settings.strategies = {"width-only", "greedy", "halp", "hacscale"};
    for (const double factor : {0.95, 1.0, 1.05}) {
        const records::ComparisonRecord record = compared(settings, synthetic_device(factor));
        for (const records::StrategyRow& row : record.strategies) {
            ASSERT_TRUE(row.latency_ratio.has_value()) << row.strategy << ": " << row.reason;
            EXPECT_EQ(row.status, records::StrategyStatus::ok) << row.strategy << " at " << factor;
            EXPECT_LE(*row.latency_ratio, 0.8 + 1e-9) << row.strategy << " at " << factor;
            EXPECT_LT(*row.gain, 0.0) << row.strategy << " at " << factor;
        }
    }
}

TEST_F(ComparisonTest, AFasterDeviceLeavesRoomThatIsUsed) {
    const double gain_as_predicted =
        *row_named(compared(at_budget(1.2), synthetic_device(1.0)), "hacscale").gain;
    const double gain_on_faster =
        *row_named(compared(at_budget(1.2), synthetic_device(0.9)), "hacscale").gain;
    EXPECT_GT(gain_on_faster, gain_as_predicted);
}

// A table is off for each network by a share of its own.
TEST_F(ComparisonTest, ATableThatIsOffByADifferentShareForEachNetworkIsSearchedAround) {
    constexpr double max_error = 0.08;
    for (const std::uint64_t salt : {1, 2, 3, 4}) {
        const TimeNetworks erring = [salt](const std::vector<Network>& networks) {
            std::vector<TimedNetwork> timed = synthetic_device(1.0)(networks);
            for (std::size_t i = 0; i < networks.size(); ++i) {
                std::mt19937_64 random(std::stoull(network_hash(networks[i]).substr(0, 15), nullptr, 16) +
                                       salt);
                const double share = static_cast<double>(random() % 2001) / 1000.0 - 1.0;
                timed[i].latency_us *= is_base(networks[i]) ? 1.0 : 1.0 + max_error * share;
            }
            return timed;
        };
        const records::ComparisonRecord record = compared(at_budget(1.3), erring);
        for (const records::StrategyRow& row : record.strategies) {
            EXPECT_EQ(row.status, records::StrategyStatus::ok) << row.strategy << " " << salt;
            EXPECT_LE(*row.latency_ratio, 1.3 + 1e-9) << row.strategy << " " << salt;
        }
        // What keeps the budget for certain, however the device errs, is the least to be found.
        const double certain = *row_named(compared(at_budget(1.3 / (1.0 + max_error)), {}), "hacscale").gain;
        EXPECT_GE(*row_named(record, "hacscale").gain, certain) << salt;
    }
}

TEST_F(ComparisonTest, AChoiceThatDoesNotKeepTheBudgetWhenTimedAgainIsReplaced) {
    ComparisonSettings settings = at_budget(1.3);
    settings.strategies = {"hacscale"};
    const ScalingChoice lucky = *compared(settings, synthetic_device(1.0)).strategies[0].choice;
    const std::string lucky_hash = model_hash(scaled(find_model("resnet20-cifar"), lucky));
    int timings_of_lucky = 0;
    const TimeNetworks slower_again = [&](const std::vector<Network>& networks) {
        std::vector<TimedNetwork> timed = synthetic_device(1.0)(networks);
        for (std::size_t i = 0; i < networks.size(); ++i) {
            if (network_hash(networks[i]) == lucky_hash && ++timings_of_lucky > 1) timed[i].latency_us *= 1.1;
        }
        return timed;
    };
    const records::ComparisonRecord record = compared(settings, slower_again);
    EXPECT_GT(timings_of_lucky, 1);
    const records::StrategyRow& row = record.strategies[0];
    EXPECT_NE(*row.choice, lucky);
    EXPECT_EQ(row.status, records::StrategyStatus::ok);
    EXPECT_GT(*row.gain, 0.0) << "there are others than the base";
}

TEST_F(ComparisonTest, WhatCannotBeTimedHasAReason) {
    const TimeNetworks refuses = [](const std::vector<Network>& networks) {
        std::vector<TimedNetwork> timed = synthetic_device(1.0)(networks);
        for (std::size_t i = 0; i < networks.size(); ++i) {
            if (!is_base(networks[i])) {
                timed[i] = {0.0, 0.0, false, "out of memory"};
            }
        }
        return timed;
    };
    ComparisonSettings settings = at_budget(1.3);
    settings.strategies = {"hacscale"};
    const records::ComparisonRecord record = compared(settings, refuses);
    EXPECT_EQ(record.strategies[0].status, records::StrategyStatus::failed);
    EXPECT_EQ(record.strategies[0].reason, "out of memory");
}

// A device that needs a second for each network that it times, by a clock of its own.
struct SlowDevice {
    double left_s;
    std::vector<std::size_t> sessions{};  // networks in each

    TimeNetworks timer(double factor) {
        return [this, factor](const std::vector<Network>& networks) {
            sessions.push_back(networks.size());
            left_s -= static_cast<double>(networks.size());
            return synthetic_device(factor)(networks);
        };
    }
};

TEST_F(ComparisonTest, TheSearchEndsWhenTheFinalSessionNeedsWhatIsLeft) {
    SlowDevice unhurried{1e6};
    SessionBudget enough([&] { return unhurried.left_s; });
    ComparisonSettings settings = at_budget(1.3);
    settings.sessions = &enough;
    compared(settings, unhurried.timer(1.1));
    ASSERT_GE(unhurried.sessions.size(), 3U) << "or there is nothing to cut short";

    const auto first = static_cast<double>(unhurried.sessions.front());
    SlowDevice hurried{1.3 * first};
    SessionBudget little([&] { return hurried.left_s; });
    settings.sessions = &little;
    const records::ComparisonRecord record = compared(settings, hurried.timer(1.1));
    EXPECT_LT(hurried.sessions.size(), unhurried.sessions.size());
    EXPECT_GE(hurried.sessions.size(), 2U) << "one round and the final session";
    EXPECT_GE(hurried.left_s, -first) << "at most the last session is longer than was thought";
    for (const records::StrategyRow& row : record.strategies) {
        EXPECT_TRUE(row.latency_ratio.has_value()) << row.strategy;
    }
}

TEST_F(ComparisonTest, WhatThereIsNoTimeForIsPredictedAndSaysSo) {
    const TimeNetworks base_only = [&](const std::vector<Network>& networks) {
        EXPECT_TRUE(is_base(networks.front())) << "the base first: without it nothing is known";
        std::vector<TimedNetwork> timed = synthetic_device(1.0)(networks);
        for (std::size_t i = 1; i < networks.size(); ++i) {
            timed[i] = {0.0, 0.0, false, "no time left", true};
        }
        return timed;
    };
    ComparisonSettings settings = at_budget(1.3);
    settings.strategies = {"hacscale"};
    const records::ComparisonRecord record = compared(settings, base_only);
    EXPECT_EQ(record.base.status, records::StrategyStatus::ok);
    EXPECT_EQ(record.strategies[0].status, records::StrategyStatus::unverified);
    EXPECT_EQ(record.strategies[0].reason, "no time left");
    EXPECT_FALSE(record.strategies[0].measured_us.has_value());
    EXPECT_EQ(untimed_rows(record), 1);
}

TEST_F(ComparisonTest, DescribesFrontLayersAndStaircases) {
    const records::ComparisonRecord record = compared(at_budget(1.2), {});
    ASSERT_GT(record.front.size(), 1U);
    EXPECT_LE(record.front.size(), 500U);
    for (std::size_t i = 1; i < record.front.size(); ++i) {
        EXPECT_GT(record.front[i].latency_us, record.front[i - 1].latency_us);
        EXPECT_GT(record.front[i].gain, record.front[i - 1].gain);
    }
    double sum_us = 0.0;
    for (const records::LayerRow& layer : record.layers) {
        if (layer.spec == "base") {
            sum_us += layer.latency.latency_us;
            EXPECT_EQ(layer.implementation, "made up");
        }
    }
    EXPECT_NEAR(sum_us, *record.base.predicted_us, 1e-3);
    ASSERT_EQ(record.staircases.size(), 3U);
    for (const records::StaircaseRow& staircase : record.staircases) {
        EXPECT_GE(*staircase.free_width, staircase.base_width);
    }
}

TEST_F(ComparisonTest, TheTableSaysInWhichLayoutItKnowsTheNetwork) {
    Table table = Table::open(path("t.db"), OpenMode::write);
    EXPECT_EQ(ModelView(table, find_model("resnet20-cifar"), {}).base().layout, Layout::channels_last);
    ModelSpec blocked = find_model("resnet20-cifar");
    blocked.layout = Layout::blocked;
    std::vector<Row> rows;
    for (const Node& node : lower(blocked).nodes) {
        Row row;
        row.key.layer = node.layer;
        row.key.footprint_bytes = footprint_bucket(1 << 20);
        row.latency_us = 0.5;
        row.measured_at = "2026-01-01T00:00:00Z";
        rows.push_back(row);
    }
    table.put(rows);
    EXPECT_EQ(ModelView(table, find_model("resnet20-cifar"), {}).base().layout, Layout::blocked);
}

}  // namespace
}  // namespace hacscale::harness
