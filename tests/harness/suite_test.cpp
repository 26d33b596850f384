#include "harness/suite/suite.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "base/error.hpp"
#include "fixture.hpp"
#include "harness/suite/run_manifest.hpp"
#include "harness/suite/shard.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

using SuiteTest = FolderTest;

std::vector<std::string> names_of(const std::vector<SuiteModel>& models) {
    std::vector<std::string> names;
    for (const SuiteModel& model : models) {
        names.push_back(model.name);
    }
    return names;
}

TEST_F(SuiteTest, AreFoundByNameWhereTheyComeWithTheProgram) {
    EXPECT_EQ(load_suite(find_suite("quickstart")).name, "quickstart");
    const std::string mine = write("mine.yaml", "name: mine\nmodels: [resnet18]\n");
    EXPECT_EQ(find_suite(mine), mine);
    EXPECT_THAT([] { find_suite("quickstrat"); },
                ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("did you mean 'quickstart'")));
}

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
        "rows: prefix\nrecord: accuracy.db\nrecipe: standard\n",
        "s.yaml", "here");
    EXPECT_EQ(suite.record, "here/accuracy.db");
    EXPECT_EQ(suite.recipe, "standard");
    EXPECT_EQ(suite.rows, RowMethod::prefix);
    EXPECT_EQ(suite.name, "s");
    EXPECT_THAT(names_of(suite.models), ElementsAre("resnet18"));
    EXPECT_THAT(suite.devices, ElementsAre("cuda:1"));
    EXPECT_EQ(suite.threads, 4);
    EXPECT_THAT(suite.batches, ElementsAre(8));
    EXPECT_THAT(suite.types, ElementsAre(DataType::bf16));
    EXPECT_THAT(suite.caches, ElementsAre(CacheState::warm));
    EXPECT_THAT(suite.budgets, ElementsAre(1.0, 1.5));
    EXPECT_THAT(suite.strategies, ElementsAre("hacscale"));
    EXPECT_EQ(suite.grid, 16);
    EXPECT_EQ(suite.max_width_ratio, 3.0);
    EXPECT_EQ(suite.max_depth_ratio, 1.5);
    EXPECT_EQ(suite.min_inner_ratio, 0.5);
    EXPECT_EQ(suite.max_inner_ratio, 1.5);
    EXPECT_EQ(suite.inner_widths, 6);
    EXPECT_EQ(suite.resolution_steps, 2);
    EXPECT_THAT(names_of(suite.verify), ElementsAre("resnet34"));
    EXPECT_EQ(suite.tolerance, 0.1);
    EXPECT_EQ(suite.seconds, 0.5);
    EXPECT_EQ(suite.minutes, 3.0);
}

TEST_F(SuiteTest, MeasuresWhatAnyOfItsBudgetsNeedsAndLeavesEachItsOwn) {
    const Suite suite = parse_suite(
        "name: s\nmodels: [resnet18]\nbudgets: [0.3, 1.065]\nmax_depth_ratio: 1\n", "s.yaml", ".");
    const SpaceSettings allowed = space_of(suite, find_model("resnet18"));
    EXPECT_EQ(allowed.min_width_ratio, std::nullopt);
    EXPECT_EQ(allowed.max_depth_ratio, 1.0);
    const SpaceSettings measured = for_all_budgets(suite, allowed);
    EXPECT_EQ(measured.min_width_ratio, ratio_range(0.3).least);
    EXPECT_EQ(measured.max_width_ratio, ratio_range(1.065).largest);
    EXPECT_EQ(measured.max_depth_ratio, 1.0);
    EXPECT_EQ(for_budget(allowed, 0.3).max_width_ratio, 1.0);
    EXPECT_EQ(for_budget(allowed, 1.065).min_width_ratio, 0.5);
}

TEST_F(SuiteTest, ReadsSeveralValuesOfAKey) {
    const Suite suite = parse_suite(
        "name: s\nmodels: [resnet18]\ndevices: [cpu, cuda:0]\nbatches: [1, 8]\ndtypes: [f32, f16]\n"
        "caches: [network, warm]\nresolutions: [192, 256]\nmin_width_ratio: 0.75\nmin_depth_ratio: 1\n"
        "total_minutes: 90\n",
        "s.yaml", ".");
    EXPECT_THAT(suite.devices, ElementsAre("cpu", "cuda:0"));
    EXPECT_EQ(states_of(suite).size(), 8U);
    EXPECT_EQ(states_of(suite).front().batch, 1);
    EXPECT_EQ(states_of(suite).back().batch, 8);
    EXPECT_EQ(states_of(suite).back().type, DataType::f16);
    EXPECT_EQ(states_of(suite).back().cache, CacheState::warm);
    EXPECT_EQ(suite.total_minutes, 90.0);
    const SpaceSettings space = space_of(suite, find_model("resnet18"));
    EXPECT_THAT(space.resolutions, ElementsAre(192, 256));
    EXPECT_EQ(space.min_width_ratio, 0.75);
    EXPECT_EQ(space.min_depth_ratio, 1.0);
    EXPECT_EQ(space.max_width_ratio, std::nullopt);
    EXPECT_THAT(parse_suite("name: s\nmodels: [resnet18]\ndevices: all\n", "s.yaml", ".").devices,
                ElementsAre("all"));
}

TEST_F(SuiteTest, LeavesDefaults) {
    const Suite suite = parse_suite("name: s\nmodels: [resnet18]\nstrategies: all\n", "s.yaml", ".");
    EXPECT_THAT(suite.devices, ElementsAre("cpu"));
    EXPECT_EQ(states_of(suite).size(), 1U);
    EXPECT_THAT(suite.budgets, ElementsAre(1.0));
    EXPECT_THAT(suite.strategies, IsEmpty());
    EXPECT_THAT(names_of(suite.verify), IsEmpty());
    EXPECT_EQ(suite.min_inner_ratio, 1.0);
    EXPECT_EQ(suite.max_inner_ratio, 1.0);
}

TEST_F(SuiteTest, FindsModelsBesideItself) {
    std::filesystem::copy_file(HACSCALE_SOURCE_DIR "/models/zoo/resnet18.yaml", path("mine.yaml"));
    const Suite suite = load_suite(write("suite.yaml", "name: s\nmodels: [mine.yaml]\n"));
    EXPECT_THAT(names_of(suite.models), ElementsAre(path("mine.yaml")));
}

TEST_F(SuiteTest, AModelFileThatIsEditedLaterChangesNothing) {
    std::filesystem::copy_file(HACSCALE_SOURCE_DIR "/models/zoo/resnet18.yaml", path("mine.yaml"));
    const Suite suite = load_suite(write("suite.yaml", "name: s\nmodels: [mine.yaml]\n"));
    const std::string hash = suite_hash(suite);
    std::filesystem::remove(path("mine.yaml"));
    std::filesystem::copy_file(HACSCALE_SOURCE_DIR "/models/zoo/resnet34.yaml", path("mine.yaml"));
    EXPECT_EQ(suite_hash(suite), hash);
    EXPECT_EQ(profile_units(suite).front().model.network->name, "resnet18");
    EXPECT_NE(suite_hash(load_suite(path("suite.yaml"))), hash)
        << "the next run is of the network as it is then";
}

// Editors check suites against the schema: what it allows and what is read must be the same.
TEST_F(SuiteTest, TheSchemaForEditorsAgreesWithWhatIsRead) {
    std::ifstream stream(HACSCALE_SOURCE_DIR "/bench/suites/suite.schema.json");
    const nlohmann::json schema = nlohmann::json::parse(stream);
    std::set<std::string> described;
    for (const auto& [key, property] : schema["properties"].items()) {
        EXPECT_TRUE(property.contains("description")) << key;
        described.insert(key);
    }
    EXPECT_EQ(described, std::set<std::string>(suite_keys().begin(), suite_keys().end()));

    const auto accepts = [](const std::string& key, const nlohmann::json& value) {
        try {
            parse_suite("name: s\nmodels: [resnet18]\n" + key + ": " + value.dump() + "\n", "s.yaml", ".");
            return true;
        } catch (const InputError&) {
            return false;
        }
    };
    int ranges = 0;
    for (const auto& [key, property] : schema["properties"].items()) {
        const bool list = property.contains("items");
        const nlohmann::json& value = list ? property["items"] : property;
        const auto with = [&](const nlohmann::json& one) {
            return list ? nlohmann::json::array({one}) : one;
        };
        if (value.contains("maximum")) {
            ++ranges;
            const double step = value["type"] == "integer" ? 1.0 : 0.5;
            const auto number = [&](double at) {
                return step == 1.0 ? nlohmann::json(static_cast<int>(at)) : nlohmann::json(at);
            };
            if (key != "resolutions") {  // which of them a model can have is another question
                EXPECT_TRUE(accepts(key, with(value["maximum"]))) << key;
            }
            EXPECT_FALSE(accepts(key, with(number(value["maximum"].get<double>() + step)))) << key;
            if (value.contains("minimum")) {
                EXPECT_FALSE(accepts(key, with(number(value["minimum"].get<double>() - step)))) << key;
            } else {
                EXPECT_FALSE(accepts(key, with(value["exclusiveMinimum"]))) << key;
            }
        }
        for (const nlohmann::json& word : value.value("enum", nlohmann::json::array())) {
            EXPECT_TRUE(accepts(key, with(word))) << key << " " << word;
        }
    }
    EXPECT_GE(ranges, 15);
    const auto words_of = [](const nlohmann::json& list) {
        return std::set<std::string>(list.begin(), list.end());
    };
    const auto& properties = schema["properties"];
    const std::vector<std::string> zoo = zoo_names();
    EXPECT_EQ(words_of(properties["models"]["items"]["anyOf"][0]["enum"]),
              std::set<std::string>(zoo.begin(), zoo.end()))
        << "write the zoo's names into bench/suites/suite.schema.json";
    const std::regex other_names(properties["models"]["items"]["anyOf"][1]["pattern"].get<std::string>());
    EXPECT_TRUE(std::regex_search("resnet18-128-pixels-10-classes", other_names));
    EXPECT_TRUE(accepts("verify", {"resnet18-128-pixels-10-classes"}));
    EXPECT_FALSE(std::regex_search("resnet18-many-classes", other_names));
    std::set<std::string> names;
    for (const Strategy& strategy : strategies()) {
        names.emplace(strategy.name);
    }
    EXPECT_EQ(words_of(properties["strategies"]["anyOf"][1]["items"]["enum"]), names)
        << "write the strategies' names into bench/suites/suite.schema.json";
    for (const auto& pair : schema["allOf"]) {
        std::string both = "name: s\nmodels: [resnet18]\n";
        for (const std::string key : pair["not"]["required"]) {
            const bool list = properties[key].value("type", "") == "array" || key == "devices";
            const std::string value = key.starts_with("device")  ? "cpu"
                                      : key.starts_with("dtype") ? "f32"
                                      : key.starts_with("cache") ? "warm"
                                      : key == "resolutions"     ? "224"
                                                                 : "1";
            both += key + ": " + (list ? "[" + value + "]" : value) + "\n";
        }
        try {
            parse_suite(both, "s.yaml", ".");
            ADD_FAILURE() << both;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr("contradict"));
        }
    }
}

TEST_F(SuiteTest, EachSuiteNamesItsSchema) {
    for (const auto& entry : std::filesystem::directory_iterator(HACSCALE_SOURCE_DIR "/bench/suites")) {
        if (entry.path().extension() == ".yaml") {
            std::ifstream stream(entry.path());
            std::string line;
            std::getline(stream, line);
            EXPECT_EQ(line, "# yaml-language-server: $schema=suite.schema.json") << entry.path();
        }
    }
}

TEST_F(SuiteTest, AModelMayHaveTwoFilesOfGains) {
    write("a.yaml", "");
    write("b.yaml", "");
    const Suite suite =
        load_suite(write("s.yaml", "name: s\nmodels: [resnet18]\ngains: {resnet18: [a.yaml, b.yaml]}\n"));
    ASSERT_EQ(suite.gains.size(), 2U);
    EXPECT_EQ(suite.gains[1].second, path("b.yaml"));
}

TEST_F(SuiteTest, AModelThatIsAFileHasGains) {
    write("g.yaml", "");
    std::filesystem::copy_file(HACSCALE_SOURCE_DIR "/models/zoo/resnet18.yaml", path("mine.yaml"));
    const Suite suite =
        load_suite(write("s.yaml", "name: s\nmodels: [mine.yaml]\ngains: {mine.yaml: g.yaml}\n"));
    ASSERT_EQ(suite.gains.size(), 1U);
    EXPECT_EQ(suite.gains.front().first, suite.models.front().name);
    EXPECT_THAT(suite_hash(suite), ::testing::Not(IsEmpty()));
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
        {good + "budgets: [0.05]\n", "s.yaml:3:", "expected 0.1 to 16"},
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
        {good + "max_width_ratio: 0.5\n", "s.yaml:3:", "contradicts"},
        {good + "max_depth_ratio: 0.9\n", "s.yaml:3:", "contradicts"},
        {good + "min_width_ratio: 1.5\n", "s.yaml:3:", "at most 1"},
        {good + "min_depth_ratio: 0\n", "s.yaml:3:", "above 0"},
        {good + "device: cpu\ndevices: [cpu]\n", "s.yaml:4:", "contradict"},
        {good + "batches: [1, 2]\nbatch: 1\n", "s.yaml:3:", "contradict"},
        {good + "dtypes: [f32]\ndtype: f32\n", "s.yaml:3:", "contradict"},
        {good + "caches: [warm]\ncache: cold\n", "s.yaml:3:", "contradict"},
        {good + "resolutions: [192]\nresolution_steps: 1\n", "s.yaml:4:", "contradict"},
        {"name: s\nmodels: [vgg16-bn]\nresolutions: [1]\n", "s.yaml:2:", "vgg16-bn"},
        {good + "devices: [all, cpu]\n", "s.yaml:3:", "stands alone"},
        {good + "devices: []\n", "s.yaml:3:", "at least one"},
        {good + "device: ../cpu\n", "s.yaml:3:", "no device"},
        {good + "devices: [cpu, cpu]\n", "s.yaml:3:", "twice"},
        {good + "batches: 8\n", "s.yaml:3:", "list"},
        {good + "batches: [1, 0]\n", "s.yaml:3:", "batches"},
        {good + "dtypes: [f32, f8]\n", "s.yaml:3:", "f8"},
        {good + "caches: [warm, hot]\n", "s.yaml:3:", "hot"},
        {good + "total_minutes: 0\n", "s.yaml:3:", "total_minutes"},
        {good + "resolution_steps: -1\n", "s.yaml:3:", "resolution_steps"},
        {good + "verify: [nothing]\n", "s.yaml:3:", "nothing"},
        {good + "seconds: 0\n", "s.yaml:3:", "seconds"},
        {good + "strategies: [hacscael]\n", "s.yaml:3:", "hacscael"},
        {good + "record: somewhere/\n", "s.yaml:3:", "record"},
        {good + "recipe: short\n", "s.yaml:3:", "record"},
        {good + "record: r.db\nrecipe: shrt\n", "s.yaml:4:", "short"},
        {good + "gains: {resnet34: x.yaml}\n", "s.yaml:3:", "resnet34"},
        {good + "gains: {resnet18: none.yaml}\n", "s.yaml:3:", "none.yaml"},
        {good + "gains: {resnet18: " + std::string(300, 'a') + "}\n", "s.yaml:3:", "there is no file"},
        {good + "gains: {resnet18: []}\n", "s.yaml:3:", "one of each"},
        {good + "gains: {resnet18: [a.yaml, b.yaml, c.yaml]}\n", "s.yaml:3:", "one of each"},
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

// Records are kept by a network's name: of two, the second would count as finished before it was compared.
TEST_F(SuiteTest, RefusesDifferentNetworksOfOneName) {
    ModelSpec model = find_model("resnet8-cifar");
    model.name = "net";
    std::filesystem::create_directories(path("a"));
    std::filesystem::create_directories(path("b"));
    write("a/net.yaml", to_yaml(model));
    write("b/net.yaml", to_yaml(model));
    const std::string both = write("both.yaml", "name: both\nmodels: [a/net.yaml, b/net.yaml]\n");
    EXPECT_EQ(load_suite(both).models.size(), 2u) << "one network, twice";
    model.stages.back().width = 72;
    write("b/net.yaml", to_yaml(model));
    const std::string beside =
        write("beside.yaml", "name: beside\nmodels: [a/net.yaml]\nverify: [b/net.yaml]\n");
    for (const std::string& suite : {both, beside}) {
        EXPECT_THAT([&] { load_suite(suite); },
                    ::testing::ThrowsMessage<InputError>(::testing::AllOf(
                        HasSubstr("a/net.yaml"), HasSubstr("b/net.yaml"), HasSubstr("the name net"))));
    }
}

TEST_F(SuiteTest, RefusesFilesThatAreMissingOrHuge) {
    EXPECT_THROW(load_suite(path("none.yaml")), InputError);
    EXPECT_THROW(load_suite(path("")), InputError);
    EXPECT_THROW(load_suite(write("huge.yaml", std::string(3 << 20, '#'))), InputError);
}

}  // namespace
}  // namespace hacscale::harness
