// Loading: what a good folder holds, and that a wrong one is refused with file and key in the message.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "records/run_folder.hpp"
#include "tests/report/sample_records.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::records {
namespace {

using report::read_text;
using report::write_sample_records;
using report::write_text;
using ::testing::HasSubstr;

class LoadedRecords : public ::testing::Test {
protected:
    std::string error_of_loading() {
        try {
            load_records(folder_.path());
        } catch (const InputError& error) {
            return error.what();
        }
        return "loaded";
    }

    void edit(const std::string& file, const std::function<void(nlohmann::json&)>& change) {
        nlohmann::json json = nlohmann::json::parse(read_text(folder_.path() / file));
        change(json);
        write_text(folder_.path() / file, json.dump());
    }

    testing::TempFolder folder_;
};

TEST_F(LoadedRecords, LoadsEverythingSortedByModelAndBudget) {
    write_sample_records(folder_.path());
    const RunRecords data = load_records(folder_.path());
    ASSERT_EQ(data.comparisons.size(), 4u);
    EXPECT_EQ(data.comparisons[0].model, "mobilenetv2-0.35");
    EXPECT_LT(data.comparisons[0].budget, data.comparisons[1].budget);
    EXPECT_EQ(data.comparisons[2].model, "resnet20-cifar");
    EXPECT_EQ(data.comparisons[0].strategies.size(), 12u);
    ASSERT_NE(data.comparisons[0].hacscale(), nullptr);
    EXPECT_DOUBLE_EQ(*data.comparisons[0].hacscale()->utilization_ratio, 1.92);
    EXPECT_EQ(data.verification->models.size(), 24u);
    EXPECT_EQ(data.rows->size(), 30u);
    EXPECT_EQ(data.provenance.warnings.size(), 2u);
}

TEST_F(LoadedRecords, ComparisonsOfOlderProgramsAreRead) {
    write_sample_records(folder_.path(), {.models = {"resnet20-cifar"}, .budgets = {1.0}});
    EXPECT_TRUE(load_records(folder_.path()).comparisons[0].judged);
    edit("compare-resnet20-cifar-1.json", [](nlohmann::json& json) {
        json["strategies"].push_back(json["base"]);
        for (nlohmann::json& row : json["strategies"]) {
            for (const char* key : {"latency_ratio_ci95", "memory_bytes", "accuracy_deviation",
                                    "accuracy_seeds", "dominates", "equal_to"}) {
                row.erase(key);
            }
        }
        json["base"] = json["strategies"].back();
        json["strategies"].erase(json["strategies"].size() - 1);
    });
    const ComparisonRecord comparison = load_records(folder_.path()).comparisons[0];
    EXPECT_FALSE(comparison.judged);
    EXPECT_FALSE(comparison.base.memory_bytes);
    EXPECT_FALSE(comparison.base.accuracy);
    EXPECT_TRUE(comparison.hacscale()->dominates.empty());
}

TEST_F(LoadedRecords, AbsentRecordsStayEmpty) {
    write_sample_records(folder_.path(), {.with_verify = false, .with_table = false});
    const RunRecords data = load_records(folder_.path());
    EXPECT_FALSE(data.verification);
    EXPECT_FALSE(data.rows);
}

TEST_F(LoadedRecords, AFolderMustBeThereAndHoldRecords) {
    EXPECT_THROW(load_records(folder_.path() / "nowhere"), InputError);
    EXPECT_THAT(error_of_loading(), HasSubstr("provenance.json"));
    write_sample_records(folder_.path(), {.models = {}, .with_verify = false, .with_table = false});
    EXPECT_THAT(error_of_loading(), HasSubstr("compare-*.json"));
}

TEST_F(LoadedRecords, MalformedJsonNamesTheFile) {
    write_sample_records(folder_.path());
    for (const char* text : {"", "{", "[1,", "\xff\xfe", "{\"models\": \"\x80\"}"}) {
        write_text(folder_.path() / "verify.json", text);
        EXPECT_THAT(error_of_loading(), HasSubstr("verify.json")) << text;
    }
}

// Writing them again would exhaust the stack.
TEST_F(LoadedRecords, ValuesNestedDeeplyAreRefused) {
    write_sample_records(folder_.path());
    const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
    std::string provenance = read_text(folder_.path() / "provenance.json");
    const std::size_t properties = provenance.find('{', provenance.find("\"properties\""));
    provenance.insert(properties + 1, "\"deep\": " + deep + ",");
    write_text(folder_.path() / "provenance.json", provenance);
    EXPECT_THAT(error_of_loading(), HasSubstr("provenance.json: is nested more than 100 deep"));
}

TEST_F(LoadedRecords, WrongKeysAreNamedWithTheirPlace) {
    const std::string compare = "compare-resnet20-cifar-1.json";
    struct Case {
        std::string file;
        std::string expected;
        std::function<void(nlohmann::json&)> change;
    };
    const std::vector<Case> cases{
        {compare, "budget", [](auto& json) { json.erase("budget"); }},
        {compare, "budget", [](auto& json) { json["budget"] = 0; }},
        {compare, "base", [](auto& json) { json["base"] = 3; }},
        {compare, "strategies[1].status", [](auto& json) { json["strategies"][1]["status"] = "fine"; }},
        {compare, "strategies[2].measured_us",
         [](auto& json) { json["strategies"][2]["measured_us"] = -1.0; }},
        {compare, "strategies[0].widths", [](auto& json) { json["strategies"][0]["widths"] = {1.5}; }},
        {compare, "strategies[0].inner_widths",
         [](auto& json) { json["strategies"][0]["inner_widths"] = {8}; }},
        {compare, "front[3].gain", [](auto& json) { json["front"][3]["gain"] = nullptr; }},
        {compare, "layers[5].latency_us", [](auto& json) { json["layers"][5]["latency_us"] = nullptr; }},
        {compare, "layers[0].estimate", [](auto& json) { json["layers"][0]["estimate"] = "guessed"; }},
        {compare, "staircases[0].points[2].width",
         [](auto& json) { json["staircases"][0]["points"][2].erase("width"); }},
        {compare, "contributions[0].steps[1].outcome",
         [](auto& json) { json["contributions"][0]["steps"][1]["outcome"] = "maybe"; }},
        {compare, "contributions[1].steps[0].gain",
         [](auto& json) { json["contributions"][1]["steps"][0]["gain"] = nullptr; }},
        {compare, "contributions[0].budget_us",
         [](auto& json) { json["contributions"][0].erase("budget_us"); }},
        {compare, "contributions[0].latency_us",
         [](auto& json) { json["contributions"][0]["latency_us"] = 1e300; }},
        {compare, "contributions[0].latency_us",
         [](auto& json) { json["contributions"][0]["latency_us"] = 1e-9; }},
        {compare, "contributions[0].steps[0].stage",
         [](auto& json) { json["contributions"][0]["steps"][0]["stage"] = -1; }},
        {compare, "staircases[0].stage", [](auto& json) { json["staircases"][0]["stage"] = 2147483647; }},
        {compare, "layers[2].bytes", [](auto& json) { json["layers"][2]["bytes"] = 1e300; }},
        {compare, "budget_given", [](auto& json) { json["budget_given"] = "soon"; }},
        {compare, "peak.flops_per_s", [](auto& json) { json["peak"].erase("flops_per_s"); }},
        {"verify.json", "models[4].measured_us", [](auto& json) { json["models"][4]["measured_us"] = 0; }},
        {"verify.json", "models", [](auto& json) { json.erase("models"); }},
        {"table.json", "[7].status", [](auto& json) { json[7].erase("status"); }},
        {"provenance.json", "device.name", [](auto& json) { json["device"]["name"] = 5; }},
        {"provenance.json", "device.name",
         [](auto& json) { json["device"]["name"] = std::string("C\0PU", 4); }},
        {"provenance.json", "warnings", [](auto& json) { json["warnings"] = "noisy"; }},
    };
    for (const Case& wrong : cases) {
        write_sample_records(folder_.path());
        edit(wrong.file, wrong.change);
        const std::string message = error_of_loading();
        EXPECT_THAT(message, HasSubstr(wrong.file)) << wrong.expected;
        EXPECT_THAT(message, HasSubstr(wrong.expected + " must be"));
    }
}

TEST_F(LoadedRecords, UnknownKeysAreLeftAlone) {
    write_sample_records(folder_.path());
    edit("compare-resnet20-cifar-1.json", [](auto& json) { json["added_later"] = {1, 2}; });
    EXPECT_EQ(error_of_loading(), "loaded");
}

// Records from before contributions were written say which command adds them.
TEST_F(LoadedRecords, WithoutContributionsStillLoad) {
    write_sample_records(folder_.path());
    EXPECT_EQ(load_records(folder_.path()).comparisons[2].contributions.size(), 2u);
    edit("compare-resnet20-cifar-1.json", [](auto& json) { json.erase("contributions"); });
    EXPECT_TRUE(load_records(folder_.path()).comparisons[2].contributions.empty());
}

TEST_F(LoadedRecords, AMissingEstimateHasNoLatency) {
    write_sample_records(folder_.path());
    edit("compare-resnet20-cifar-1.json", [](auto& json) {
        json["layers"][0]["estimate"] = "missing";
        json["layers"][0]["latency_us"] = 0;
    });
    const RunRecords data = load_records(folder_.path());
    EXPECT_FALSE(data.comparisons[2].layers[0].latency_us());
}

TEST(RecordsOfOthers, StagesWithoutANameAreNumbered) {
    testing::TempFolder folder;
    write_sample_records(folder.path(), {.models = {"one"}, .budgets = {1.0}});
    const auto file = folder.path() / "compare-one-1.json";
    nlohmann::json json = nlohmann::json::parse(read_text(file));
    json["stages"][2] = "";
    json["staircases"][2]["name"] = "";
    json["layers"][5]["stage"] = "";
    json["layers"][5]["name"] = "stage3.block1.conv1";
    json["layers"][0]["stage"] = "";
    json["layers"][0]["name"] = "stem.conv1";
    json["contributions"][0]["steps"][4]["name"] = "";
    write_text(file, json.dump());
    const RunRecords records = load_records(folder.path());
    const ComparisonRecord& comparison = records.comparisons[0];
    EXPECT_EQ(comparison.stage_name(2), "stage 3");
    EXPECT_EQ(comparison.staircases[2].stage_name(), "stage 3");
    EXPECT_EQ(comparison.layers[5].stage_name(), "stage 3");
    EXPECT_EQ(comparison.layers[0].stage_name(), "");
    EXPECT_EQ(comparison.name_of_step(comparison.contributions[0].network.steps[4]), "stage 3 width");
}

TEST(RecordsOfOthers, NominalCeilingsComeFromTheDevice) {
    testing::TempFolder folder;
    write_sample_records(folder.path(), {.models = {"one"}, .budgets = {1.0}});
    const auto file = folder.path() / "compare-one-1.json";
    nlohmann::json json = nlohmann::json::parse(read_text(file));
    json["peak"]["nominal_flops_per_s"] = nullptr;
    write_text(file, json.dump());
    EXPECT_FALSE(load_records(folder.path()).comparisons[0].peak->nominal_flops_per_s) << "of a CPU";
    nlohmann::json provenance = nlohmann::json::parse(read_text(folder.path() / "provenance.json"));
    provenance["device"]["properties"] = {{"gpu", "NVIDIA H200"},     {"compute_capability", "9.0"},
                                          {"multiprocessors", 132},   {"clock_mhz", 1980},
                                          {"memory_clock_mhz", 3201}, {"memory_bus_bits", 6016}};
    write_text(folder.path() / "provenance.json", provenance.dump());
    const RunRecords records = load_records(folder.path());
    EXPECT_NEAR(*records.comparisons[0].peak->nominal_flops_per_s, 66.9e12, 0.1e12);
    EXPECT_NEAR(*records.comparisons[0].peak->nominal_bytes_per_s, 4.81e12, 0.01e12);
}

}  // namespace
}  // namespace hacscale::records
