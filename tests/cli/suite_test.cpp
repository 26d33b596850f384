#include "cli/suite/suite.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

using SuiteTest = ProgramTest;

TEST_F(SuiteTest, EverySuiteThatComesWithTheProgramLoads) {
    int suites = 0;
    for (const auto& entry : std::filesystem::directory_iterator(HACSCALE_SOURCE_DIR "/bench/suites")) {
        if (entry.path().extension() == ".yaml") {
            EXPECT_FALSE(load_suite(entry.path()).models.empty()) << entry.path();
            ++suites;
        }
    }
    EXPECT_GT(suites, 0);
}

TEST_F(SuiteTest, ReadsEveryKey) {
    const Suite suite = parse_suite(
        "name: s\nmodels: [resnet18]\ndevice: cuda:1\nthreads: 4\nbatch: 8\ndtype: bf16\ncache: warm\n"
        "budgets: [1, 1.5]\nstrategies: [hacscale]\ngrid: 16\nmax_width_ratio: 3\nmax_depth_ratio: 1.5\n"
        "min_inner_ratio: 0.5\nmax_inner_ratio: 1.5\ninner_widths: 6\n"
        "resolution_steps: 2\nverify: [resnet34]\ntolerance: 0.1\nseconds: 0.5\nminutes: 3\n"
        "record: accuracy.db\nrecipe: standard\n",
        "s.yaml", "here");
    EXPECT_EQ(suite.record, "here/accuracy.db");
    EXPECT_EQ(suite.recipe, "standard");
    EXPECT_EQ(suite.name, "s");
    EXPECT_THAT(suite.models, ElementsAre("resnet18"));
    EXPECT_EQ(suite.device, "cuda:1");
    EXPECT_EQ(suite.threads, 4);
    EXPECT_EQ(suite.batch, 8);
    EXPECT_EQ(suite.type, DataType::bf16);
    EXPECT_EQ(suite.cache, CacheState::warm);
    EXPECT_THAT(suite.budgets, ElementsAre(1.0, 1.5));
    EXPECT_THAT(suite.strategies, ElementsAre("hacscale"));
    EXPECT_EQ(suite.grid, 16);
    EXPECT_EQ(suite.max_width_ratio, 3.0);
    EXPECT_EQ(suite.max_depth_ratio, 1.5);
    EXPECT_EQ(suite.min_inner_ratio, 0.5);
    EXPECT_EQ(suite.max_inner_ratio, 1.5);
    EXPECT_EQ(suite.inner_widths, 6);
    EXPECT_EQ(suite.resolution_steps, 2);
    EXPECT_THAT(suite.verify, ElementsAre("resnet34"));
    EXPECT_EQ(suite.tolerance, 0.1);
    EXPECT_EQ(suite.seconds, 0.5);
    EXPECT_EQ(suite.minutes, 3.0);
}

TEST_F(SuiteTest, LeavesDefaults) {
    const Suite suite = parse_suite("name: s\nmodels: [resnet18]\nstrategies: all\n", "s.yaml", ".");
    EXPECT_EQ(suite.device, "cpu");
    EXPECT_THAT(suite.budgets, ElementsAre(1.0));
    EXPECT_THAT(suite.strategies, IsEmpty());
    EXPECT_THAT(suite.verify, IsEmpty());
    EXPECT_EQ(suite.min_inner_ratio, 1.0);
    EXPECT_EQ(suite.max_inner_ratio, 1.0);
}

TEST_F(SuiteTest, FindsModelsBesideItself) {
    std::filesystem::copy_file(HACSCALE_SOURCE_DIR "/models/zoo/resnet18.yaml", path("mine.yaml"));
    const Suite suite = load_suite(write("suite.yaml", "name: s\nmodels: [mine.yaml]\n"));
    EXPECT_THAT(suite.models, ElementsAre(path("mine.yaml")));
}

struct BadSuite {
    std::string text;
    std::string message_start;
    std::string message_part;
};

TEST_F(SuiteTest, RefusesWhatMakesNoSense) {
    const std::string good = "name: s\nmodels: [resnet18]\n";
    const std::vector<BadSuite> cases{
        {"", "s.yaml:1:", "empty"},
        {"name: &a [*a]\n", "s.yaml:1:", ""},
        {std::string(100000, '['), "s.yaml:1:", ""},
        {"name: \xff\n", "s.yaml:1:", "UTF-8"},
        {"- name\n", "s.yaml:1:", ""},
        {"name: s\n", "s.yaml:1:", "models"},
        {"name: s\nmodels: []\n", "s.yaml:2:", "at least one"},
        {"name: s\nmodels: resnet18\n", "s.yaml:2:", "list"},
        {"name: s\nmodels: [resnet81]\n", "s.yaml:2:", "resnet18"},
        {"name: s\nmodels: [none.yaml]\n", "s.yaml:2:", "none.yaml"},
        {"name: s\nmodels: [resnet18, resnet18]\n", "s.yaml:2:", "twice"},
        {good + "budget: [1]\n", "s.yaml:3:", "budget"},
        {good + "budgets: [0.9]\n", "s.yaml:3:", "at least 1"},
        {good + "budgets: [-1]\n", "s.yaml:3:", "budgets"},
        {good + "budgets: [1e9]\n", "s.yaml:3:", "budgets"},
        {good + "budgets: [fast]\n", "s.yaml:3:", "budgets"},
        {good + "batch: 0\n", "s.yaml:3:", "batch"},
        {good + "batch: 1000000000\n", "s.yaml:3:", "batch"},
        {good + "dtype: f8\n", "s.yaml:3:", "f8"},
        {good + "cache: hot\n", "s.yaml:3:", "hot"},
        {good + "grid: 0\n", "s.yaml:3:", "grid"},
        {good + "max_width_ratio: -2\n", "s.yaml:3:", "max_width_ratio"},
        {good + "min_inner_ratio: 1.5\n", "s.yaml:3:", "min_inner_ratio"},
        {good + "min_inner_ratio: 0\n", "s.yaml:3:", "min_inner_ratio"},
        {good + "max_inner_ratio: 0.5\n", "s.yaml:3:", "max_inner_ratio"},
        {good + "max_inner_ratio: 17\n", "s.yaml:3:", "max_inner_ratio"},
        {good + "inner_widths: -1\n", "s.yaml:3:", "inner_widths"},
        {good + "resolution_steps: -1\n", "s.yaml:3:", "resolution_steps"},
        {good + "verify: [nothing]\n", "s.yaml:3:", "nothing"},
        {good + "seconds: 0\n", "s.yaml:3:", "seconds"},
        {good + "strategies: [hacscael]\n", "s.yaml:3:", "hacscael"},
        {good + "record: somewhere/\n", "s.yaml:3:", "record"},
        {good + "recipe: short\n", "s.yaml:3:", "record"},
        {good + "record: r.db\nrecipe: shrt\n", "s.yaml:4:", "short"},
        {good + "gains: {resnet34: x.yaml}\n", "s.yaml:3:", "resnet34"},
        {good + "gains: {resnet18: none.yaml}\n", "s.yaml:3:", "none.yaml"},
        {good + good, "s.yaml:3:", "name"},
        {"name: ../../etc\nmodels: [resnet18]\n", "s.yaml:1:", "letters"},
    };
    for (const BadSuite& bad : cases) {
        try {
            parse_suite(bad.text, "s.yaml", ".");
            FAIL() << "accepted: " << bad.text.substr(0, 200);
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), StartsWith(bad.message_start)) << bad.text.substr(0, 200);
            EXPECT_THAT(error.what(), HasSubstr(bad.message_part));
        }
    }
}

TEST_F(SuiteTest, RefusesFilesThatAreMissingOrHuge) {
    EXPECT_THROW(load_suite(path("none.yaml")), InputError);
    EXPECT_THROW(load_suite(path("")), InputError);
    EXPECT_THROW(load_suite(write("huge.yaml", std::string(3 << 20, '#'))), InputError);
}

}  // namespace
}  // namespace hacscale::cli
