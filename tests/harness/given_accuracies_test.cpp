#include "harness/compare/given_accuracies.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/describe.hpp"
#include "tests/harness/fixture.hpp"
#include "tests/harness/sample_comparison.hpp"

namespace hacscale::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class GivenAccuraciesTest : public FolderTest {
protected:
    std::string message_of(const std::string& name, const std::string& text) const {
        try {
            (void)GivenAccuracies(write(name, text));
        } catch (const InputError& error) {
            return error.what();
        }
        return "nothing was thrown";
    }
    static const records::StrategyRow& row(const records::ComparisonRecord& record,
                                           const std::string& strategy) {
        for (const records::StrategyRow& one : record.strategies) {
            if (one.strategy == strategy) return one;
        }
        throw std::logic_error("no such row");
    }
};

TEST_F(GivenAccuraciesTest, StandInTheComparisonAsTheFilesAlone) {
    records::ComparisonRecord record = sample("resnet20-cifar", 1.065);
    record.accuracies = records::AccuracyOrigin{"accuracy.db", "short", "r", "d", ""};
    record.strategies.front().accuracy = records::AccuracyFigures{91.0, 0.1, 3};
    record.strategies.front().model_hash = "other";
    const GivenAccuracies given(write("mine.csv",
                                      "network,seed,accuracy\n"
                                      "resnet20-cifar-base,1,91.5\nresnet20-cifar-base,2,92.5\n"
                                      "resnet20-cifar-hacscale-1.065,1,93\nhacscale-depths,7,92.25\n"));
    EXPECT_THAT(given.add_to(record),
                ElementsAre("hacscale-depths", "resnet20-cifar-base", "resnet20-cifar-hacscale-1.065"));
    EXPECT_EQ(record.base.accuracy->mean, 92.0);
    EXPECT_NEAR(*record.base.accuracy->deviation, 0.7071, 1e-4);
    EXPECT_EQ(record.base.accuracy->seeds, 2);
    EXPECT_EQ(row(record, "uniform").accuracy.value().mean, 92.0) << "it kept the base";
    EXPECT_EQ(row(record, "hacscale").accuracy->mean, 93.0);
    EXPECT_FALSE(row(record, "hacscale").accuracy->deviation) << "of one seed";
    EXPECT_EQ(row(record, "hacscale-depths").accuracy->mean, 92.25) << "by its model_hash";
    EXPECT_FALSE(record.strategies.front().accuracy) << "what our trainings gave is gone";
    EXPECT_EQ(record.accuracies->given_by, given.file().string());
    EXPECT_EQ(record.accuracies->recipe, "");
    EXPECT_THAT(records::origin_text(record.accuracies), HasSubstr("as given by " + given.file().string()));
    // Written and read.
    const std::string text = to_json(record);
    write("compare-a-1.json", text);
    const records::ComparisonRecord again = records::read_comparison(path("compare-a-1.json"));
    EXPECT_EQ(again.accuracies->given_by, given.file().string());
    EXPECT_EQ(again.base.accuracy->mean, 92.0);
    EXPECT_EQ(to_json(again), text);
}

TEST_F(GivenAccuraciesTest, MayBeJson) {
    const GivenAccuracies given(write(
        "mine.json", R"({"seed":3,"accuracies":[{"network":"resnet20-cifar-base","accuracy":90.25}]})"));
    records::ComparisonRecord record = sample();
    given.add_to(record);
    EXPECT_EQ(record.base.accuracy->mean, 90.25);
}

TEST_F(GivenAccuraciesTest, AreReadStrictly) {
    const std::string head = "network,seed,accuracy\n";
    EXPECT_THAT(message_of("a.csv", ""), HasSubstr("is empty"));
    EXPECT_THAT(message_of("a.csv", head), HasSubstr("has no rows"));
    EXPECT_THAT(message_of("a.txt", head), HasSubstr("ends in .csv or .json"));
    EXPECT_THAT(message_of("a.csv", "network,acc\na,1\n"), HasSubstr("'acc' is no column"));
    EXPECT_THAT(message_of("a.csv", head + "a,1,\n"), HasSubstr("a.csv:2: has no accuracy"));
    EXPECT_THAT(message_of("a.csv", head + ",1,90\n"), HasSubstr("has no network"));
    EXPECT_THAT(message_of("a.csv", head + "a,1,nan\n"), HasSubstr("found 'nan', expected a finite number"));
    EXPECT_THAT(message_of("a.csv", head + "a,1,-3\n"), HasSubstr("percent, 0 to 100"));
    EXPECT_THAT(message_of("a.csv", head + "a,1,100.5\n"), HasSubstr("percent, 0 to 100"));
    EXPECT_THAT(message_of("a.csv", head + "a,-1,90\n"), HasSubstr("a whole number"));
    EXPECT_THAT(message_of("a.csv", head + "a,1,90\na,1,90\n"),
                HasSubstr("a.csv:3: a has an accuracy for the seed 1"));
    EXPECT_THAT(message_of("a.csv", head + "a,1,0.92\nb,1,0.93\n"), HasSubstr("92.4 instead of 0.924"));
    EXPECT_THAT(message_of("a.json", "[{\"network\":\"a\",\"accuracy\":\"90\"}]"),
                HasSubstr("the text '90'"));
    EXPECT_THAT(message_of("a.json", "[{\"network\":\"a\""), HasSubstr("is no JSON"));
}

TEST_F(GivenAccuraciesTest, ThatNoComparisonHasAreNamed) {
    FakeEvents events;
    records::ComparisonRecord record = sample();
    const std::string known = "resnet20-cifar-base,1,91\n";
    add_accuracies(record,
                   GivenAccuracies(
                       write("a.csv", "network,seed,accuracy\n" + known + "resnet20-cifar-hacscal-1,1,92\n")),
                   events);
    EXPECT_THAT(events.said, HasSubstr("did you mean 'resnet20-cifar-hacscale-1'"));
    try {
        add_accuracies(record, GivenAccuracies(write("b.csv", "network,accuracy\nresnet20,92\n")), events);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), HasSubstr("'resnet20' is no network of the comparison"));
    }
}

TEST_F(GivenAccuraciesTest, GoIntoTheComparisonsOfAFolder) {
    FakeEvents events;
    std::filesystem::create_directory(path("out"));
    records::ComparisonRecord tight = sample("resnet20-cifar", 1.0);
    tight.strategies.front().accuracy = records::AccuracyFigures{91.0, 0.1, 3};
    const records::ComparisonRecord wide = sample("resnet20-cifar", 1.5);
    write("out/compare-resnet20-cifar-1.json", to_json(tight));
    write("out/compare-resnet20-cifar-1.5.json", to_json(wide));
    const GivenAccuracies none(write("none.csv", "network,accuracy\nresnet8,92\n"));
    const std::string before = read_if_there(path("out/compare-resnet20-cifar-1.json"));
    EXPECT_THROW(add_accuracies_in_folder(path("out"), none, events), InputError);
    EXPECT_EQ(read_if_there(path("out/compare-resnet20-cifar-1.json")), before) << "nothing is changed";
    const GivenAccuracies given(write("mine.csv", "network,accuracy\nresnet20-cifar-hacscale-1.5,92\n"));
    add_accuracies_in_folder(path("out"), given, events);
    EXPECT_EQ(
        row(records::read_comparison(path("out/compare-resnet20-cifar-1.5.json")), "hacscale").accuracy->mean,
        92.0);
    EXPECT_TRUE(
        records::read_comparison(path("out/compare-resnet20-cifar-1.json")).strategies.front().accuracy)
        << "a comparison that the file says nothing of keeps its own";
    EXPECT_THROW(add_accuracies_in_folder(path("."), given, events), InputError);
}

}  // namespace
}  // namespace hacscale::harness
