// What a change between two tables means to a network.
#include <gmock/gmock.h>

#include "program_fixture.hpp"
#include "tests/harness/synthetic_table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class TableDiffModelsTest : public ProgramTest {
protected:
    TableDiffModelsTest() {
        write_synthetic_table(path("a.db"));
        write_synthetic_table(path("b.db"));
        // In b, all linear layers take twice as long.
        Table table = Table::open(path("b.db"), OpenMode::write);
        for (Row& row : table.query({.kind = LayerKind::linear})) {
            row.latency_us *= 2.0;
            row.ci95_us *= 2.0;
            table.put(row);
        }
    }

    Answer diff(const std::vector<std::string>& more) {
        std::vector<std::string> arguments{"table", "diff", path("a.db"), path("b.db")};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
};

TEST_F(TableDiffModelsTest, TheChangedLayerIsNamedWithItsShareOfTheTime) {
    const Answer answer = diff({"--models", "resnet20-cifar", "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto model = answer.json()["models"][0];
    EXPECT_EQ(model["model"], "resnet20-cifar");
    EXPECT_EQ(model["unknown_layers"], 0);
    ASSERT_EQ(model["layers"].size(), 1U) << "the others are within noise";
    const auto layer = model["layers"][0];
    EXPECT_THAT(layer["name"].get<std::string>(), HasSubstr("linear"));
    EXPECT_NEAR(layer["ratio"].get<double>(), 2.0, 1e-9);
    EXPECT_NEAR(layer["share"].get<double>(), layer["a_us"].get<double>() / model["a_us"].get<double>(),
                1e-9);
    EXPECT_NEAR(model["ratio"].get<double>(), 1.0 + layer["share"].get<double>(), 1e-9);
    const auto all = diff({"--models", "resnet20-cifar", "--all", "--json"}).json()["models"][0]["layers"];
    EXPECT_GT(all.size(), 20U);
    EXPECT_EQ(all[0]["name"], layer["name"]) << "the greatest share comes first";
    const Answer text = diff({"--models", "resnet20-cifar"});
    EXPECT_THAT(text.out, HasSubstr("resnet20-cifar: "));
    EXPECT_THAT(text.out, HasSubstr("2.0000"));
}

TEST_F(TableDiffModelsTest, TheGateLooksAtWholeNetworks) {
    const double ratio =
        diff({"--models", "resnet20-cifar", "--json"}).json()["models"][0]["ratio"].get<double>();
    const double percent = 100.0 * (ratio - 1.0);
    const auto gate = [&](double allowed) {
        return diff({"--models", "resnet20-cifar", "--slower-than", std::to_string(allowed)}).status;
    };
    EXPECT_EQ(gate(0.5 * percent), 4);
    EXPECT_EQ(gate(2.0 * percent), 0) << "one layer is twice as slow, the network is not";
}

TEST_F(TableDiffModelsTest, ANetworkThatNeitherTableKnowsIsRefused) {
    const Answer answer = diff({"--models", "vgg16-bn"});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("profile it"));
    EXPECT_EQ(diff({"--models", "nothing"}).status, 2);
}

}  // namespace
}  // namespace hacscale::cli
