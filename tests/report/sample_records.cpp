#include "tests/report/sample_records.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

namespace hacscale::report {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double peak_flops = 1.32e11;
constexpr double peak_bytes = 1.9e10;
constexpr int stage_count = 3;

// A layer's time in tiles of 16 channels: the staircase that real hardware shows.
double stage_us(int stage, int width) {
    const double tiles = std::ceil(width / 16.0) * 16.0;
    return 180.0 + 0.052 * tiles * tiles * (stage + 1) + 0.4 * width;
}

double stage_macs(int stage, int width) {
    return 1.45e3 * width * width * (stage + 1);
}

Json staircases(const std::string& hostile) {
    Json all = Json::array();
    for (int stage = 0; stage < stage_count; ++stage) {
        const int base_width = 20 << stage;
        Json points = Json::array();
        for (int width = 8; width <= 3 * base_width; width += stage == 0 ? 4 : 8) {
            const double us = stage_us(stage, width);
            points.push_back({{"width", width},
                              {"latency_us", us},
                              {"utilization", 2.0 * stage_macs(stage, width) / (us * 1e-6 * peak_flops)},
                              {"estimate", width % 16 == 8 && stage > 0 ? "interpolated" : "measured"},
                              {"params", 18 * width * width}});
        }
        all.push_back({{"stage", stage},
                       {"name", fmt::format("stage{}{}", stage + 1, hostile)},
                       {"base_width", base_width},
                       {"points", points},
                       {"free_width", (base_width + 15) / 16 * 16}});
    }
    return all;
}

Json layers(const SampleOptions& options) {
    Json all = Json::array();
    for (const char* spec : {"base", "hacscale"}) {
        const double growth = std::string(spec) == "base" ? 1.0 : 1.9;
        for (int i = 0; i < options.layers; ++i) {
            const bool pool = i == options.layers - 2;
            const int stage =
                i == 0 ? -1 : std::min(stage_count, (i - 1) * stage_count / (options.layers - 3));
            const double macs =
                pool ? 0.0 : std::round((0.9e6 + 1.1e5 * (i * 7 % 11)) * growth * (i == 0 ? 0.3 : 1.0));
            const double us = options.slowness * (60.0 + 14.0 * (i * 5 % 9) + (growth > 1.0 ? 2.0 : 0.0));
            const double bytes = std::round(9.0e4 + 1.4e4 * (i * 3 % 13) * growth);
            const double utilization = 2.0 * macs / (us * 1e-6 * peak_flops);
            all.push_back(
                {{"spec", spec},
                 {"name",
                  fmt::format("stage{}.block{}.conv{}{}", stage + 1, i / 2, i % 2 + 1, options.hostile)},
                 {"key", fmt::format("conv_i16x32x32_o{}_k3_s1_p1_g1_bias_relu", 16 + i) + options.hostile},
                 {"stage", stage},
                 {"block", i / 2},
                 {"latency_us", us},
                 {"estimate", i % 6 == 5 ? "interpolated" : "measured"},
                 {"macs", macs},
                 {"bytes", bytes},
                 {"utilization", utilization},
                 {"roofline_efficiency", std::max(utilization, bytes / peak_bytes / (us * 1e-6))},
                 {"implementation", "brgconv:avx512_core" + options.hostile}});
        }
    }
    return all;
}

// Of two strategies that chose one network, and of one that chose another.
Json strategy_layers(const SampleOptions& options) {
    const auto network = [&](double wider) {
        Json list = Json::array();
        for (int i = 0; i < options.layers; ++i) {
            list.push_back({{"name", fmt::format("stage{}.block{}.conv{}{}", i * 3 / options.layers + 1,
                                                 i / 2, i % 2 + 1, options.hostile)},
                            {"key", fmt::format("conv_i16x32x32_o{}_k3_s1_p1_g1_bias_relu",
                                                static_cast<int>(16 + i * wider)) +
                                        options.hostile},
                            {"stage", fmt::format("stage{}", i * 3 / options.layers + 1)},
                            {"latency_us", i == 3 ? Json() : Json((80.0 + i) * wider)},
                            {"estimate", i == 3 ? "missing" : "measured"}});
        }
        return list;
    };
    return {{{"strategies", {"width-only", "fast"}}, {"layers", network(1.2)}},
            {{"strategies", {"uniform" + options.hostile}}, {"layers", network(1.5)}}};
}

// A budget's worth of room, and steps of every outcome that a report can meet.
Json contributions(const std::string& hostile, double budget) {
    struct Step {
        const char* dimension;
        int stage;
        int from;
        int to;
        double latency_us;
        double gain;
        const char* outcome;
    };
    static constexpr Step steps[] = {
        {"width", 0, 16, 24, 310.0, 0.09, "over_budget"}, {"depth", 0, 3, 4, 120.0, 0.05, "fits"},
        {"width", 1, 32, 40, 0.9, 0.08, "fits"},          {"depth", 1, 3, 4, 131.0, 0.0, "no_gain"},
        {"width", 2, 64, 72, -8.5, 0.07, "over_cap"},     {"depth", 2, 6, 0, 0.0, 0.0, "space_end"},
        {"inner_width", 2, 96, 104, 4.5, 0.003, "fits"},  {"resolution", -1, 32, 36, 0.0, 0.0, "missing"}};
    Json all = Json::array();
    for (const char* spec : {"base", "hacscale"}) {
        const bool base = std::string(spec) == "base";
        Json list = Json::array();
        for (const Step& step : steps) {
            const std::string outcome =
                !base && std::string(step.outcome) == "fits" ? "over_budget" : step.outcome;
            const bool known = outcome != "space_end" && outcome != "missing";
            const auto figure = [known](double value) { return known ? Json(value) : Json(); };
            const double latency_pct = 100.0 * step.latency_us / 2431.0;
            list.push_back(
                {{"dimension", step.dimension},
                 {"stage", step.stage < 0 ? Json() : Json(step.stage)},
                 {"name", step.stage < 0 ? Json() : Json(fmt::format("stage{}{}", step.stage + 1, hostile))},
                 {"block", std::string(step.dimension) == "inner_width" ? Json(0) : Json()},
                 {"base", step.from},
                 {"from", step.from},
                 {"to", step.to == 0 ? Json() : Json(step.to)},
                 {"estimate", outcome == "space_end" ? Json()
                              : outcome == "missing" ? Json("missing")
                              : step.stage == 1      ? Json("interpolated")
                                                     : Json("measured")},
                 {"latency_us", figure(step.latency_us)},
                 {"latency_pct", figure(latency_pct)},
                 {"utilization", figure(0.004 * step.to - 0.05)},
                 {"params", figure(1200.0 * step.to)},
                 {"macs", figure(2.1e5 * step.to)},
                 {"gain", figure(step.gain)},
                 {"gain_per_pct", step.latency_us > 0.0 ? figure(step.gain / latency_pct) : Json()},
                 {"outcome", outcome},
                 {"reason", "synthetic reason for " + outcome + hostile}});
        }
        all.push_back({{"spec", spec},
                       {"latency_us", base ? 2431.0 : 2420.0},
                       {"budget_us", 2431.0 * budget},
                       {"utilization", base ? 0.2134 : 0.41},
                       {"params", 269722},
                       {"macs", 40810000},
                       {"gain", base ? 0.0 : 0.44},
                       {"widths", {16, base ? 32 : 40, 64}},
                       {"depths", {3, 3, 6}},
                       {"resolution", 32},
                       {"steps", list}});
    }
    return all;
}

Json row(const SampleOptions& options, const std::string& strategy, const std::string& status,
         double latency_ratio, double utilization_ratio, double macs_ratio, double gain) {
    const double base_us = 2468.0 * options.slowness;
    const bool measured = status == "ok" || status == "over_budget";
    Json out{
        {"strategy", strategy},
        {"status", status},
        {"reason", status == "ok" ? Json() : Json("synthetic reason for " + status + options.hostile)},
        {"predicted_us", status == "failed" ? Json() : Json(base_us * latency_ratio * 0.985)},
        {"measured_us", measured ? Json(base_us * latency_ratio) : Json()},
        {"ci95_us", measured ? Json(14.2) : Json()},
        {"latency_ratio", measured ? Json(latency_ratio) : Json()},
        {"latency_ratio_ci95", measured ? Json(strategy == "base" ? 0.0 : 0.0081) : Json()},
        {"utilization", 0.2134 * utilization_ratio},
        {"utilization_ratio", utilization_ratio},
        {"params", std::round(269722 * std::pow(macs_ratio, 0.9))},
        {"macs", std::round(40810000 * macs_ratio)},
        {"memory_bytes", std::round(1300000 * macs_ratio)},
        {"gain", gain},
        {"widths", {16, 32, static_cast<int>(8 * std::round(8 * std::sqrt(macs_ratio)))}},
        {"depths", {3, 3, strategy == "hacscale" ? 5 : 3}},
        {"resolution", strategy == "resolution-only" ? 40 : 32},
        {"accuracy", Json()},
        {"accuracy_deviation", Json()},
        {"accuracy_seeds", 0},
        {"dominates", strategy == "hacscale" ? Json{"base", "width-only"} : Json::array()},
        {"equal_to", strategy == "base" ? Json{"depth-only"} : Json::array()},
        {"spec", strategy == "hacscale" ? "name: synthetic # " + options.hostile + "\nstages: []\n" : ""}};
    if (status == "failed") {
        for (const char* key :
             {"utilization", "utilization_ratio", "params", "macs", "memory_bytes", "gain"}) {
            out[key] = Json();
        }
    }
    return out;
}

Json comparison(const SampleOptions& options, const std::string& model, double budget) {
    const double spare = budget - 1.0;
    Json front = Json::array();
    for (int i = 0; i < options.front_points; ++i) {
        const double t = static_cast<double>(i) / std::max(1, options.front_points - 1);
        const double latency_ratio = 0.97 + (0.07 + spare) * t;
        const double gain = std::floor(std::sqrt((latency_ratio - 0.96) / (budget - 0.96)) * 45.0) / 100.0;
        front.push_back({{"latency_us", 2431.0 * latency_ratio},
                         {"gain", gain},
                         {"params", std::round(260000 + 300000 * t)},
                         {"widths", {16, 32, 64 + 8 * (i / 10)}},
                         {"depths", {3, 3, 3}},
                         {"resolution", 32}});
    }
    const double b = budget;
    const auto make = [&](const char* strategy, const char* status, double latency, double utilization,
                          double macs, double gain) {
        return row(options, strategy, status, latency, utilization, macs, gain);
    };
    Json strategies = Json::array(
        {make("width-only", "ok", b * 0.994, 1.22 + spare, 1.21 + spare, 0.095),
         make("depth-only", "ok", b * 0.981, 1.0 + spare, 1.0 + spare, 0.0),
         make("resolution-only", "over_budget", b * 1.041, 1.13 + spare, 1.17 + spare, 0.061),
         make("depth-width", "ok", b * 0.997, 1.16 + spare, 1.17 + spare, 0.084),
         make("uniform", "ok", b * 0.989, 1.11 + spare, 1.1 + spare, 0.055),
         make("compound", "infeasible", b, 1.0, 1.0, 0.0),
         make("fast", "ok", b * 0.993, 1.27 + spare, 1.26 + spare, 0.117),
         make("width-on-edges", "ok", b * 0.999, 1.44 + spare, 1.45 + spare, 0.19),
         make("hacscale-no-importance", "ok", b * 1.0, 1.86 + spare, 1.88 + spare, 0.36),
         make("hacscale-no-utilization", "unverified", b * 0.992, 1.31 + spare, 1.3 + spare, 0.27),
         make("hacscale", "ok", b * 0.998, 1.92 + spare, 1.95 + spare, 0.44),
         make("fisher" /* not a strategy of the program: unknown names are shown too */, "failed", b, 1.0,
              1.0, 0.0)});
    Json base = row(options, "base", "ok", 1.0, 1.0, 1.0, 0.0);
    base["widths"] = {16, 32, 64};
    return {{"model", model + options.hostile},
            {"device", "cpu"},
            {"budget", budget},
            {"base", base},
            {"strategies", strategies},
            {"peak",
             {{"flops_per_s", peak_flops},
              {"bytes_per_s", peak_bytes},
              {"nominal_flops_per_s", 1.6e11},
              {"nominal_bytes_per_s", Json()}}},
            {"front", front},
            {"stages", {"stage1" + options.hostile, "stage2" + options.hostile, "stage3" + options.hostile}},
            {"layers", layers(options)},
            {"strategy_layers", strategy_layers(options)},
            {"staircases", staircases(options.hostile)},
            {"contributions", contributions(options.hostile, budget)}};
}

Json provenance(const SampleOptions& options) {
    const std::string& hostile = options.hostile;
    return {{"program", "hacscale"},
            {"version", "0.1.0"},
            {"command", "hacscale run synthetic.yaml" + hostile},
            {"suite", "synthetic" + hostile},
            {"started_at", "2025-01-02T03:04:05Z"},
            {"finished_at", "2025-01-02T03:24:05Z"},
            {"device",
             {{"id", "cpu"},
              {"name", options.device + hostile},
              {"fingerprint", "0123456789abcdef"},
              {"properties",
               {{"cores", 2},
                {"onednn", "2.6.3"},
                {"isa", "AVX-512" + hostile},
                {"caches", {{"l2", 1048576}}}}}}},
            {"settings", {{"batch", 1}, {"dtype", "f32"}, {"cache", "network"}, {"threads", 2}}},
            {"warnings",
             {"The host was noisy: 3 of 212 rows kept an interval above 1 %." + hostile,
              "Frequency scaling is on; latencies may drift."}}};
}

Json verify(const SampleOptions& options) {
    static constexpr const char* names[] = {"resnet20-cifar",  "resnet56-cifar", "vgg16-cifar",
                                            "mobilenetv1-1.0", "resnet18",       "resnet50",
                                            "mobilenetv2-1.0", "efficientnet-b0"};
    Json models = Json::array();
    int i = 0;
    for (const char* name : names) {
        const double measured = 900.0 * std::pow(1.9, i) * options.slowness;
        for (const char* cache : {"network", "warm", "cold"}) {
            const double bias = std::string(cache) == "network" ? 0.0
                                : std::string(cache) == "warm"  ? -0.11
                                                                : 0.09;
            const double error = bias + 0.021 * std::sin(2.7 * i + 1.0);
            models.push_back({{"model", name + options.hostile},
                              {"batch", 1},
                              {"dtype", "f32"},
                              {"cache", cache},
                              {"role", i == 0 ? "base" : "zoo"},
                              {"predicted_us", measured * (1.0 + error)},
                              {"measured_us", measured},
                              {"ci95_us", measured * 0.008},
                              {"error_pct", 100.0 * error}});
        }
        ++i;
    }
    return {{"device", "cpu"}, {"models", models}};
}

Json table_rows(const SampleOptions& options) {
    Json rows = Json::array();
    for (int i = 0; i < 30; ++i) {
        const std::string status = i == 4 ? "noisy" : i == 9 ? "failed" : "ok";
        rows.push_back(
            {{"layer", fmt::format("conv_i16x32x32_o{}_k3_s1_p1_g1_bias_relu{}", 8 + i, options.hostile)},
             {"batch", 1},
             {"dtype", "f32"},
             {"cache", "network"},
             {"latency_us", status == "failed" ? Json() : Json(options.slowness * (71.5 + i))},
             {"ci95_us", status == "failed" ? Json() : Json(status == "noisy" ? 4.1 : 0.5)},
             {"samples", 100},
             {"status", status},
             {"reason", status == "ok" ? "" : "synthetic reason" + options.hostile},
             {"utilization", 0.2},
             {"occupancy_theoretical", Json()},
             {"occupancy_achieved", Json()}});
    }
    return rows;
}

}  // namespace

void write_sample_records(const fs::path& folder, const SampleOptions& options) {
    fs::create_directories(folder);
    const auto write = [&](const std::string& name, const Json& json) {
        write_text(folder / name, json.dump(1));
    };
    write("provenance.json", provenance(options));
    if (options.with_verify) write("verify.json", verify(options));
    if (options.with_table) write("table.json", table_rows(options));
    for (const std::string& model : options.models) {
        for (const double budget : options.budgets) {
            write(fmt::format("compare-{}-{}.json", model, budget), comparison(options, model, budget));
        }
    }
}

std::string read_text(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
}

void write_text(const fs::path& file, const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
}

}  // namespace hacscale::report
