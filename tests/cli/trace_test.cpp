#include <gmock/gmock.h>

#include "harness/measure/chrome_trace.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "made_up_device.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

// What the viewers need, of any trace: slices of one thread are beside or within each other, with times that
// are not negative.
void expect_sound(const Json& trace, const Graph& network, std::size_t passes) {
    std::vector<Json> layers;
    std::vector<Json> whole;
    int names = 0;
    for (const Json& event : trace["traceEvents"]) {
        EXPECT_EQ(event["pid"], 1);
        EXPECT_EQ(event["tid"], 1);
        if (event["ph"] == "M") {
            ++names;
            EXPECT_TRUE(event["args"]["name"].is_string());
            continue;
        }
        ASSERT_EQ(event["ph"], "X");
        EXPECT_GE(event["ts"].get<double>(), 0.0);
        EXPECT_GE(event["dur"].get<double>(), 0.0);
        (event["cat"] == "pass" ? whole : layers).push_back(event);
    }
    EXPECT_EQ(names, 2);
    ASSERT_EQ(whole.size(), passes);
    ASSERT_EQ(layers.size(), passes * network.nodes.size());
    for (std::size_t pass = 0; pass < passes; ++pass) {
        double now = whole[pass]["ts"].get<double>();
        const double end = now + whole[pass]["dur"].get<double>();
        if (pass + 1 < passes) {
            EXPECT_LE(end, whole[pass + 1]["ts"].get<double>() + 1e-6);  // sums of rounded numbers
        }
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            const Json& layer = layers[pass * network.nodes.size() + i];
            EXPECT_NEAR(layer["ts"].get<double>(), now, 1e-6);
            now = layer["ts"].get<double>() + layer["dur"].get<double>();
            EXPECT_EQ(layer["name"], network.nodes[i].name);
            EXPECT_EQ(layer["cat"], name_of(network.nodes[i].layer.kind));
            EXPECT_EQ(layer["args"]["key"], network.nodes[i].layer.key());
        }
        EXPECT_NEAR(now, end, 1e-6);
    }
}

TEST(ChromeTrace, HasASliceForEachLayerOfEachPass) {
    TracedRun run;
    run.network = find_network("resnet8-cifar");
    run.batch = 2;
    run.device = "a \"device\" with \xff in its name";
    run.peak_flops_per_s = 1e11;
    run.implementations.assign(run.network.graph.nodes.size(), "jit");
    for (int pass = 0; pass < 3; ++pass) {
        TracedPass traced{1000.0 * pass, {}};
        for (std::size_t i = 0; i < run.network.graph.nodes.size(); ++i) {
            traced.node_us.push_back(1.25 * static_cast<double>(i % 7) + pass);
        }
        run.passes.push_back(traced);
    }
    const Json trace = Json::parse(chrome_trace(run));
    expect_sound(trace, run.network.graph, 3);
    EXPECT_EQ(trace["otherData"]["model"], "resnet8-cifar");
    const auto& events = trace["traceEvents"];
    int with_utilization = 0;
    std::size_t layer = 0;
    for (const Json& event : events) {
        if (event["ph"] != "X" || event["cat"] == "pass") continue;
        const LayerCost cost =
            cost_of(run.network.graph.nodes[layer++ % run.network.graph.nodes.size()].layer, 2, run.type);
        EXPECT_EQ(event["args"]["macs"], cost.macs);
        EXPECT_EQ(event["args"]["bytes"], cost.bytes);
        if (!event["args"].contains("utilization")) continue;
        ++with_utilization;
        EXPECT_NEAR(event["args"]["utilization"].get<double>(),
                    static_cast<double>(cost.flops()) / (event["dur"].get<double>() * 1e-6 * 1e11), 1e-9);
    }
    EXPECT_GT(with_utilization, 0);
    run.peak_flops_per_s.reset();
    EXPECT_EQ(chrome_trace(run).find("utilization"), std::string::npos);
}

class TraceTest : public MadeUpDeviceTest {
protected:
    Json written() const { return Json::parse(std::ifstream(path("trace.json"))); }
};

TEST_F(TraceTest, TracesANetwork) {
    const Graph network = lower(find_model("resnet8-cifar"));
    const Answer text = call({"trace", "resnet8-cifar", "--out", path("trace.json"), "--passes", "3"});
    ASSERT_EQ(text.status, 0) << text.err;
    EXPECT_THAT(text.out, HasSubstr("3 passes of resnet8-cifar"));
    // The layout is the device's choice, and part of the keys.
    const Json trace = written();
    for (const Json& event : trace["traceEvents"]) {
        if (event["ph"] == "X" && event["cat"] != "pass") {
            EXPECT_FALSE(event["args"]["implementation"].get<std::string>().empty());
            EXPECT_FALSE(event["args"].contains("utilization"));
        }
    }
    const BackendRegistry registry = BackendRegistry::load();
    const DeviceHandle device = registry.find("cpu");
    expect_sound(trace, for_device(find_network("resnet8-cifar"), device, 1, DataType::f32).graph, 3);

    const DeviceRecord record{"cpu", device.device.name, device.device.fingerprint, "{}"};
    Table::open(path("t.db"), OpenMode::create, &record)
        .put(PeakRecord{DataType::f32, 1e11, 2e10, std::nullopt, std::nullopt});
    const Answer json =
        call({"trace", "resnet8-cifar", "--out", path("trace.json"), "--table", path("t.db"), "--json"});
    ASSERT_EQ(json.status, 0) << json.err;
    EXPECT_EQ(json.json()["passes"], 5);
    EXPECT_EQ(json.json()["layers"], network.nodes.size());
    EXPECT_EQ(json.json()["out"], path("trace.json"));
    EXPECT_THAT(written().dump(), HasSubstr("utilization"));
}

TEST_F(TraceTest, RefusesWhatIsWrong) {
    const std::string out = path("trace.json");
    EXPECT_EQ(call({"trace", "resnet8-cifar"}).status, 2);
    EXPECT_EQ(call({"trace", "resnet81", "--out", out}).status, 2);
    EXPECT_EQ(call({"trace", "resnet8-cifar", "--out", out, "--passes", "0"}).status, 2);
    EXPECT_EQ(call({"trace", "resnet8-cifar", "--out", out, "--dtype", "f64"}).status, 2);
    EXPECT_EQ(call({"trace", "resnet8-cifar", "--out", out, "--device", "abacus"}).status, 3);
    EXPECT_EQ(call({"trace", "resnet8-cifar", "--out", path("none/trace.json")}).status, 1);
    EXPECT_EQ(call({"trace", "resnet8-cifar", "--out", out, "--table", path("none.db")}).status, 2);
    const DeviceRecord other{"cpu", "Another device", "0123456789abcdef", "{}"};
    Table::open(path("t.db"), OpenMode::create, &other);
    const Answer answer = call({"trace", "resnet8-cifar", "--out", out, "--table", path("t.db")});
    EXPECT_EQ(answer.status, 2);
    EXPECT_THAT(answer.err, HasSubstr("Another device"));
    EXPECT_FALSE(std::filesystem::exists(out));
}

}  // namespace
}  // namespace hacscale::cli
