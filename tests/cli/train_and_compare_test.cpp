// `compare --train` and `--record`: from a comparison to a training plan, and from its records back into the
// comparison.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <set>

#include "base/error.hpp"
#include "harness/compare/accuracies.hpp"
#include "harness/compare/compare.hpp"
#include "models/formats/formats.hpp"
#include "program_fixture.hpp"
#include "tests/harness/synthetic_table.hpp"
#include "training/plan.hpp"

namespace hacscale::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TrainAndCompareTest : public ProgramTest {
protected:
    TrainAndCompareTest() { write_synthetic_table(path("t.db")); }

    Answer compare(std::vector<std::string> more, const std::string& budget = "1.3") const {
        std::vector<std::string> arguments{"compare",  "resnet20-cifar", "--table",     path("t.db"),
                                           "--budget", budget,           "--no-verify", "--json"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return call(arguments);
    }
    Answer with_plan(std::vector<std::string> more = {}) const {
        more.insert(more.end(), {"--train", path("runs/plan.yaml")});
        return compare(more);
    }

    // A folder of records with these comparisons of ResNet-20.
    std::string write_run(const std::vector<Answer>& comparisons) const {
        std::filesystem::create_directories(path("run"));
        write("run/provenance.json",
              R"({"program": "hacscale", "version": "1", "command": "c", "device": {"id": "cpu",
        "name": "abacus", "fingerprint": "f", "properties": {}}, "settings": {"batch": 1}})");
        for (const Answer& one : comparisons) {
            write(fmt::format("run/compare-resnet20-cifar-{}.json", one.json()["budget"].get<double>()),
                  one.out);
        }
        return path("run");
    }

    // Finished runs of these models, as training would record them; the accuracy grows with the seed.
    void record(const std::vector<ModelSpec>& models, const std::vector<std::uint64_t>& seeds,
                const std::string& recipe = "short", const std::string& data_hash = "d") const {
        AccuracyRecords records = AccuracyRecords::open(path("runs/accuracy.db"));
        for (const ModelSpec& model : models) {
            for (const std::uint64_t seed : seeds) {
                AccuracyRecord run;
                run.key = run_key(model, find_recipe(recipe), seed, data_hash);
                run.result.epochs = 1;
                run.result.test_accuracy = 0.90 + 0.01 * static_cast<double>(seed);
                run.device = "abacus";
                records.append(run);
            }
        }
    }
};

std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(TrainAndCompareTest, ThePlanHoldsTheBaseAndEveryChoiceOnce) {
    const Answer answer = with_plan({"--seeds", "4,7", "--recipe", "standard"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const TrainingPlan plan = load_plan(path("runs/plan.yaml"));
    EXPECT_THAT(plan.seeds, ElementsAre(4, 7));
    EXPECT_EQ(plan.recipe.name, "standard");
    EXPECT_EQ(plan.record, path("runs/accuracy.db"));
    EXPECT_EQ(plan.checkpoints, path("runs/checkpoints"));
    std::set<std::string> planned;
    for (const ModelSpec& model : plan.models) {
        EXPECT_TRUE(planned.insert(model_hash(model)).second) << model.name;
    }
    const auto json = answer.json();
    std::set<std::string> chosen{json["base"]["model_hash"]};
    for (const auto& row : json["strategies"]) {
        chosen.insert(row["model_hash"].get<std::string>());
        EXPECT_TRUE(row["accuracy"].is_null()) << "nothing is trained yet";
        EXPECT_EQ(row["accuracy_seeds"], 0);
    }
    EXPECT_EQ(planned, chosen);
    EXPECT_LT(planned.size(), json["strategies"].size() + 1) << "some strategies choose the same network";
    EXPECT_THAT(answer.err, HasSubstr("hacscale train --plan"));
}

TEST_F(TrainAndCompareTest, PathsInThePlanAreFromItsFolder) {
    const Answer answer = with_plan({"--record", path("r.db"), "--checkpoints", path("c")});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(text_of(path("runs/plan.yaml")), HasSubstr("record: \"../r.db\""));
    EXPECT_EQ(load_plan(path("runs/plan.yaml")).checkpoints, path("c"));
}

TEST_F(TrainAndCompareTest, TheSameCommandShowsTheRecords) {
    ASSERT_EQ(with_plan().status, 0);
    const TrainingPlan plan = load_plan(path("runs/plan.yaml"));
    const std::string before = text_of(path("runs/plan.yaml"));
    record(plan.models, {1, 3});
    record({plan.models[0]}, {1}, "standard");
    const Answer answer = with_plan();
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto json = answer.json();
    std::vector<nlohmann::json> rows = json["strategies"];
    rows.push_back(json["base"]);
    for (const auto& row : rows) {
        EXPECT_NEAR(row["accuracy"].get<double>(), 92.0, 1e-9) << row["strategy"];
        EXPECT_NEAR(row["accuracy_deviation"].get<double>(), std::sqrt(2.0), 1e-9);
        EXPECT_EQ(row["accuracy_seeds"], 2);
    }
    EXPECT_EQ(json["accuracies"]["recipe"], "short");
    EXPECT_EQ(text_of(path("runs/plan.yaml")), before);
    // Records are shown without a plan, too.
    const Answer shown = compare({"--record", path("runs/accuracy.db")});
    EXPECT_EQ(shown.json()["base"]["accuracy_seeds"], 2);
    const Answer single = compare({"--record", path("runs/accuracy.db"), "--recipe", "standard"});
    EXPECT_TRUE(single.json()["base"]["accuracy_deviation"].is_null()) << "of one seed there is none";
    EXPECT_EQ(single.json()["base"]["accuracy_seeds"], 1);
}

TEST_F(TrainAndCompareTest, AReportTakesAccuraciesThatCameAfterTheMeasurement) {
    const Answer measured = with_plan();
    const std::string folder = write_run({measured});
    const std::string file = folder + "/compare-resnet20-cifar-1.3.json";
    record(load_plan(path("runs/plan.yaml")).models, {1, 3});
    const std::vector<std::string> command{"report", folder, "--record", path("runs/accuracy.db")};
    const Answer answer = call(command);
    ASSERT_EQ(answer.status, 0) << answer.err;
    auto after = nlohmann::json::parse(text_of(file));
    EXPECT_NEAR(after["base"]["accuracy"].get<double>(), 92.0, 1e-9);
    EXPECT_THAT(text_of(folder + "/verdict.csv"), HasSubstr(",92,1.414"));
    EXPECT_EQ(after["base"]["predicted_us"], measured.json()["base"]["predicted_us"]);
    EXPECT_EQ(after["layers"], measured.json()["layers"]);
    const std::string once = text_of(file);
    ASSERT_EQ(call(command).status, 0);
    EXPECT_EQ(text_of(file), once);
}

// One plan for all that a run compared; its networks are those of the comparisons, whatever would be chosen now.
TEST_F(TrainAndCompareTest, AReportWritesThePlanOfARun) {
    const Answer small = compare({"--strategies", "hacscale,greedy,uniform"});
    const Answer large = compare({"--strategies", "hacscale,greedy,uniform"}, "1.6");
    const std::string folder = write_run({small, large});
    const std::vector<std::string> command{"report",       folder,
                                           "--train",      path("runs/plan.yaml"),
                                           "--strategies", "hacscale,greedy",
                                           "--seeds",      "4,7",
                                           "--recipe",     "standard",
                                           "--record",     path("runs/accuracy.db")};
    const Answer answer = call(command);
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("hacscale train --plan"));
    EXPECT_THAT(answer.out, HasSubstr("plan.yaml"));
    const TrainingPlan plan = load_plan(path("runs/plan.yaml"));
    EXPECT_EQ(plan.name, "run-plan");
    EXPECT_THAT(plan.seeds, ElementsAre(4, 7));
    std::set<std::string> wanted;
    for (const Answer* one : {&small, &large}) {
        const auto json = one->json();
        wanted.insert(json["base"]["model_hash"]);
        for (const auto& row : json["strategies"]) {
            if (row["strategy"] != "uniform") wanted.insert(row["model_hash"].get<std::string>());
        }
    }
    std::set<std::string> planned;
    for (const ModelSpec& model : plan.models) planned.insert(model_hash(model));
    EXPECT_EQ(planned, wanted);
    EXPECT_GE(planned.size(), 3U) << "the base, and a choice for each budget";

    record(plan.models, {4, 7}, "standard");
    ASSERT_EQ(call(command).status, 0) << "the plan that is there is the same";
    const auto after = nlohmann::json::parse(text_of(folder + "/compare-resnet20-cifar-1.6.json"));
    EXPECT_EQ(after["base"]["accuracy_seeds"], 2);
    for (const auto& row : after["strategies"]) {
        EXPECT_EQ(row["accuracy_seeds"], planned.contains(row["model_hash"]) ? 2 : 0) << row["strategy"];
    }
    ASSERT_EQ(
        call({"report", folder, "--train", path("next/plan.yaml"), "--record", path("next/accuracy.db")})
            .status,
        0);
    EXPECT_EQ(nlohmann::json::parse(text_of(folder + "/compare-resnet20-cifar-1.6.json")), after)
        << "a plan whose records are yet to come takes no accuracies away";
}

TEST_F(TrainAndCompareTest, AReportRefusesPlansThatNothingCanMeet) {
    const std::string folder = write_run({compare({"--strategies", "greedy"})});
    const std::string plan = path("runs/plan.yaml");
    const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
        std::vector<std::string> command{"report"};
        command.insert(command.end(), more.begin(), more.end());
        const Answer answer = call(command);
        EXPECT_EQ(answer.status, 2) << part;
        EXPECT_THAT(answer.err, HasSubstr(part));
        EXPECT_FALSE(std::filesystem::exists(plan)) << part;
    };
    refused({folder, "--train", plan, "--strategies", "hascale"}, "there is no strategy 'hascale'");
    refused({folder, "--train", plan, "--seeds", "1,1"}, "seeds: 1 stands there twice");
    refused({folder, "--train", path("plan.txt")}, "ends in .yaml");
    refused({folder, path("t.db"), "--train", plan}, "one folder");
    refused({folder, "--recipe", "standard"}, "--recipe is that of --record and --train");
    refused({folder, "--strategies", "greedy"}, "--train");
    std::filesystem::remove(folder + "/compare-resnet20-cifar-1.3.json");
    write("run/verify.json", R"({"models": []})");
    refused({folder, "--train", plan}, "has no comparisons");
}

TEST_F(TrainAndCompareTest, AReportRefusesAccuraciesItCannotEnter) {
    ASSERT_EQ(with_plan().status, 0);
    record(load_plan(path("runs/plan.yaml")).models, {1});
    std::filesystem::create_directories(path("run"));
    const std::string records = path("runs/accuracy.db");
    EXPECT_THAT(call({"report", path("run"), "--record", records}).err, HasSubstr("has no comparisons"));
    write("run/compare-a-1.json", "{}");
    const Answer damaged = call({"report", path("run"), "--record", records});
    EXPECT_EQ(damaged.status, 2);
    EXPECT_THAT(damaged.err, HasSubstr("compare-a-1.json"));
    EXPECT_EQ(text_of(path("run/compare-a-1.json")), "{}");
    EXPECT_EQ(call({"report", path("run"), "--record", path("none.db")}).status, 2);
    EXPECT_THAT(call({"report", path("run"), path("t.db"), "--record", records}).err,
                HasSubstr("one folder"));
}

// Another timing chooses other networks; those of the plan are what was trained, so they are measured.
TEST_F(TrainAndCompareTest, PlannedNetworksAreMeasuredInsteadOfChosenAnew) {
    const Table table = Table::open(path("t.db"), OpenMode::read);
    const ModelView view(table, find_model("resnet20-cifar"), {});
    ComparisonSettings settings;
    settings.budget = 1.3;
    const TrainingPlanRequest request{path("runs/plan.yaml"), {1}, "short", "", ""};
    const records::ComparisonRecord first = cli::compare(view, settings, synthetic_device(1.0));
    write_training_plan({&first, 1}, request);
    const records::ComparisonRecord anew = cli::compare(view, settings, synthetic_device(0.9));
    settings.fixed = planned_choices(request, "resnet20-cifar", 1.3);
    records::ComparisonRecord again = cli::compare(view, settings, synthetic_device(0.9));
    bool any_differs = false;
    for (std::size_t i = 0; i < first.strategies.size(); ++i) {
        EXPECT_EQ(again.strategies[i].model_hash, first.strategies[i].model_hash)
            << first.strategies[i].strategy;
        EXPECT_LT(*again.strategies[i].latency_ratio, *first.strategies[i].latency_ratio + 1e-9);
        any_differs = any_differs || anew.strategies[i].model_hash != first.strategies[i].model_hash;
    }
    EXPECT_TRUE(any_differs) << "else the fixed choices prove nothing";
    EXPECT_NO_THROW(write_training_plan({&again, 1}, request));
    EXPECT_THROW(write_training_plan({&anew, 1}, request), InputError);
    // What fails on the second day stays in the plan; what fails on the first one does not enter.
    again.strategies[0].status = records::StrategyStatus::failed;
    EXPECT_NO_THROW(write_training_plan({&again, 1}, request));
    const WrittenPlan other =
        write_training_plan({&again, 1}, {path("other/plan.yaml"), {1}, "short", "", ""});
    EXPECT_THAT(other.left_out, ElementsAre(again.strategies[0].strategy));
}

TEST_F(TrainAndCompareTest, AnotherContentIsNotOverwritten) {
    ASSERT_EQ(with_plan().status, 0);
    const std::string before = text_of(path("runs/plan.yaml"));
    const Answer other_seeds = with_plan({"--seeds", "8"});
    EXPECT_EQ(other_seeds.status, 2);
    EXPECT_THAT(other_seeds.err, HasSubstr("name another plan"));
    EXPECT_FALSE(other_seeds.json()["strategies"].empty()) << "the comparison is answered all the same";
    EXPECT_EQ(text_of(path("runs/plan.yaml")), before);
    write("taken.yaml", "mine");
    EXPECT_EQ(compare({"--train", path("taken.yaml")}).status, 2);
    EXPECT_EQ(text_of(path("taken.yaml")), "mine");
    EXPECT_FALSE(std::filesystem::exists(path("resnet20-cifar-base.yaml")));
}

TEST_F(TrainAndCompareTest, BadInputIsRefused) {
    const std::string plan = path("runs/plan.yaml");
    const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
        const Answer answer = compare(more);
        EXPECT_EQ(answer.status, 2) << part;
        EXPECT_THAT(answer.err, HasSubstr(part));
        EXPECT_EQ(answer.out, "") << part;
        EXPECT_FALSE(std::filesystem::exists(plan)) << part;
    };
    refused({"--train", plan, "--seeds", "1,2,1"}, "seeds: 1 stands there twice");
    refused({"--train", plan, "--seeds", "9999999999"}, "seeds");
    refused({"--train", plan, "--seeds", "one"}, "--seeds");
    refused({"--train", plan, "--recipe", "shorter"}, "there is no recipe");
    refused({"--train", path("runs/plan.txt")}, "ends in .yaml");
    refused({"--seeds", "1"}, "--train");
    refused({"--checkpoints", "c"}, "--train");
    refused({"--record", path("none.db")}, "none.db: expected accuracy records, found no file");
    refused({"--record", path("t.db")}, "expected accuracy records, found another SQLite file");
    refused({"--record", write("text.db", "hello, this is no database at all")}, "text.db");
    refused({"--train", plan, "--record", path("text.db")}, "text.db");
}

TEST_F(TrainAndCompareTest, RecordsThatDoNotCompareAreRefusedAndOthersNamed) {
    std::filesystem::create_directory(path("runs"));
    const ModelSpec base = find_model("resnet20-cifar");
    record({base}, {1}, "standard");
    const Answer other_recipe = compare({"--record", path("runs/accuracy.db")});
    ASSERT_EQ(other_recipe.status, 0);
    EXPECT_TRUE(other_recipe.json()["base"]["accuracy"].is_null());
    EXPECT_THAT(other_recipe.err, HasSubstr("--recipe"));
    record({base}, {1}, "short", "one");
    record({base}, {2}, "short", "another");
    const Answer mixed = compare({"--record", path("runs/accuracy.db")});
    EXPECT_EQ(mixed.status, 2);
    EXPECT_THAT(mixed.err, HasSubstr("different data"));
}

TEST_F(TrainAndCompareTest, APlanOfAnotherNetworkIsNotTakenForThisOne) {
    std::filesystem::create_directory(path("runs"));
    write("runs/plan.yaml", "");
    std::filesystem::copy_file(HACSCALE_SOURCE_DIR "/models/zoo/resnet18.yaml",
                               path("runs/resnet20-cifar-hacscale-1.3.yaml"));
    const Answer answer = with_plan();
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("not a scaled resnet20-cifar"));
}

}  // namespace
}  // namespace hacscale::cli
