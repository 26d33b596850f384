#include <fmt/format.h>
#include <gmock/gmock.h>

#include <sstream>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/table/check.hpp"
#include "profiler/table/detail/pickle.hpp"
#include "profiler/table/export.hpp"
#include "profiler/table/import/import.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class TableImport : public ::testing::Test {
protected:
    std::filesystem::path write(const std::string& name, const std::string& text) {
        std::ofstream(folder_ / name, std::ios::binary) << text;
        return folder_ / name;
    }
    ImportedRows csv(const std::string& text) {
        return import_rows(write("rows.csv", text), TabularFormat::csv, settings_);
    }
    ImportedRows json(const std::string& text) {
        return import_rows(write("rows.json", text), TabularFormat::json, settings_);
    }
    template <typename Work>
    static std::string message_of(const Work& work) {
        try {
            work();
        } catch (const InputError& error) {
            return error.what();
        }
        return "nothing was thrown";
    }
    std::string csv_message(const std::string& text) {
        return message_of([&] { (void)csv(text); });
    }
    std::string pickle_message(const std::string& key, double value) {
        std::ostringstream out;
        detail::PickleWriter pickle(out);
        pickle.add("1_3_64_224_7_2_1", 0.5);
        pickle.add(key, value);
        pickle.finish();
        return message_of([&] { (void)import_halp(write("t.pkl", out.str()), settings_); });
    }

    TempFolder folder_;
    ImportSettings settings_;
};

TEST_F(TableImport, TakesLayersByTheirColumns) {
    const ImportedRows imported =
        csv("device,kind,in_channels,out_channels,kernel,stride,groups,height,width,latency_ms,batch,dtype\n"
            "Jetson Orin,conv,3,64,7,2,1,224,224,0.5,1,f16\n"
            "Jetson Orin,conv,96,96,3x1,1,depthwise,56,28,0.25,1,f16\n"
            "Jetson Orin,linear,512,1000,,,,,,0.125,1,f16\n"
            "Jetson Orin,max_pool,64,,3,2,,112,,0.0625,8,f16\n");
    EXPECT_EQ(imported.device, imported_device("Jetson Orin", ""));
    ASSERT_EQ(imported.rows.size(), 4U);
    const auto key = [&](std::size_t i) { return imported.rows[i].key.layer.key(); };
    EXPECT_EQ(key(0), "conv_i3x224x224_o64_k7_s2_p3_g1_bias");
    EXPECT_EQ(key(1), "conv_i96x56x28_o96_k3x1_s1_p1x0_g96_bias");
    EXPECT_EQ(key(2), "linear_i512x1x1_o1000_bias");
    EXPECT_EQ(key(3), "max_pool_i64x112x112_k3_s2_p1");
    EXPECT_EQ(imported.rows[0].latency_us, 500.0);
    EXPECT_EQ(imported.rows[0].key.type, DataType::f16);
    EXPECT_EQ(imported.rows[0].key.cache, CacheState::network);
    EXPECT_EQ(imported.rows[3].key.batch, 8);
}

TEST_F(TableImport, TakesLayersByTheirKeysAndValuesOfAllRows) {
    const ImportedRows imported = json(
        R"({"device":"Pixel 8","software":"TFLite 2.16","dtype":"f16","batch":2,"rows":[
            {"layer":"conv_i64x56x56_o64_k3_s1_p1_g1_bias_add_relu","latency_us":12.5,"ci95_us":0.25},
            {"kind":"squeeze_excite","in_channels":96,"height":14,"squeeze_channels":24,"activation":"relu",
             "gate":"hard_sigmoid","latency_us":3,"batch":1}]})");
    EXPECT_EQ(imported.device, imported_device("Pixel 8", "TFLite 2.16"));
    ASSERT_EQ(imported.rows.size(), 2U);
    EXPECT_EQ(imported.rows[0].key.batch, 2);
    EXPECT_EQ(imported.rows[0].ci95_us, 0.25);
    EXPECT_EQ(imported.rows[1].key.layer.key(), "squeeze_excite_i96x14x14_r24_relu_hard_sigmoid");
    EXPECT_EQ(imported.rows[1].key.batch, 1) << "a row's own value counts first";
}

TEST_F(TableImport, DevicesDifferByNameAndSoftware) {
    EXPECT_EQ(imported_device("a", "").fingerprint, imported_device("a", "").fingerprint);
    EXPECT_NE(imported_device("a", "").fingerprint, imported_device("b", "").fingerprint);
    EXPECT_NE(imported_device("a", "1").fingerprint, imported_device("a", "2").fingerprint);
    EXPECT_TRUE(is_imported(imported_device("a", "")));
    EXPECT_FALSE(is_imported(test_device));
    EXPECT_THAT(csv_message("layer,latency_us\nprelu_i64x56x56,1\n"), HasSubstr("--device-name"));
    EXPECT_THAT(csv_message("device,layer,latency_us\na,prelu_i64x56x56,1\nb,prelu_i32x56x56,1\n"),
                HasSubstr("rows.csv:3: column 1 (device): found 'b', expected 'a'"));
    // Rows never come beside those of another device.
    make_table(folder_ / "t.db", {});
    const DeviceRecord elsewhere = imported_device("a", "");
    expect_error<InputError>(
        [&] { const Table again = Table::open(folder_ / "t.db", OpenMode::create, &elsewhere); }, {});
}

TEST_F(TableImport, SaysWhichLineAndColumnIsWrong) {
    settings_.device = "d";
    struct Case {
        std::string text;
        std::string message;
    };
    const std::string conv = "kind,in_channels,out_channels,kernel,height,latency_us\n";
    for (const Case& bad : std::vector<Case>{
             {"", "is empty"},
             {"layer,latency_us\n", "has no rows"},
             {"latency_us\n1\n", "rows.csv:2: has neither a layer's key"},
             {"layer,latency\n", "column 2: 'latency' is no column of such a file"},
             {"layer\nprelu_i64x56x56\n", "has neither latency_us nor latency_ms"},
             {"layer,latency_us,latency_ms\nprelu_i64x56x56,1,1\n", "not both"},
             {"layer,latency_us\nprelu_i64,1\n", "rows.csv:2: layer:"},
             {"layer,latency_us\nprelu_i64x56x56,nan\n", "column 2 (latency_us): found 'nan'"},
             {"layer,latency_us\nprelu_i64x56x56,-1\n", "found '-1', expected a time above 0"},
             {"layer,latency_us\nprelu_i64x56x56,0\n", "found '0', expected a time above 0"},
             {"layer,latency_us\nprelu_i64x56x56,1e300\n", "eleven days"},
             {"layer,latency_us,ci95_us\nprelu_i64x56x56,1,-1\n", "a time of 0 or more"},
             {"layer,latency_us,stride\nprelu_i64x56x56,1,2\n", "nothing beside a layer's key"},
             {"layer,latency_us,dtype\nprelu_i64x56x56,1,int8\n", "rows.csv:2: dtype:"},
             {"layer,latency_us,cache\nprelu_i64x56x56,1,hot\n", "'hot' is no cache state"},
             {"layer,latency_us,batch\nprelu_i64x56x56,1,0\n", "a whole number from 1"},
             {"layer,latency_us,batch\nprelu_i64x56x56,1,1e9\n", "a whole number from 1"},
             {"layer,latency_us,status\nprelu_i64x56x56,1,failed\n", "none, because the row is failed"},
             {"layer,latency_us,occupancy_achieved\nprelu_i64x56x56,1,1.5\n", "a share of 0 to 1"},
             {"layer,latency_us,timed_by\nprelu_i64x56x56,1,hand\n", "stopwatch, prefix or profiler"},
             {"layer,latency_us,pace_us\nprelu_i64x56x56,1,0\n", "a time above 0"},
             {"layer,latency_us,missing_reasons\nprelu_i64x56x56,1,[\n",
              "rows.csv:2: missing_reasons: its missing_reasons are no JSON object of texts"},
             {"layer,latency_us,cache,footprint_bytes\nprelu_i64x56x56,1,warm,65536\n",
              "0 for the cache states"},
             {"layer,latency_us\nprelu_i64x56x56,1\nprelu_i64x56x56,2\n",
              "the same layer in the same state as"},
             {conv + "conv,3,64,7,224,1,1\n", "rows.csv:2: has 7 fields, expected 6"},
             {conv + "softmax,3,64,7,224,1\n", "one of conv"},
             {conv + "conv,,64,7,224,1\n", "has no in_channels"},
             {conv + "conv,65537,64,7,224,1\n", "a whole number from 1 to 65536"},
             {conv + "conv,3,64,7x7x7,224,1\n", "or two as in 3x1"},
             {conv + "conv,3,64,-7,224,1\n", "or two as in 3x1"},
             {conv + "max_pool,3,64,7,224,1\n", "column 3 (out_channels): found '64', expected nothing"},
             {conv + "conv,65536,65536,99,65536,1\n", "rows.csv:2: "},
         }) {
        EXPECT_THAT(csv_message(bad.text), HasSubstr(bad.message)) << bad.text;
    }
    EXPECT_THAT(message_of([&] { (void)json(R"({"rows":[{"layer":"prelu_i64x56x56","latency_us":"1"}]})"); }),
                HasSubstr("rows[0].latency_us: found the text '1', expected a finite number"));
    EXPECT_THAT(message_of([&] { (void)import_rows(folder_ / "none.csv", TabularFormat::csv, settings_); }),
                HasSubstr("does not exist"));
    EXPECT_THAT(message_of([&] { (void)import_rows(folder_.path(), TabularFormat::csv, settings_); }),
                HasSubstr("is a folder"));
}

TEST_F(TableImport, FilesOfAnySizeAreRefusedBeforeTheyAreRead) {
    const std::filesystem::path file = write("rows.csv", "");
    std::filesystem::resize_file(file, std::uintmax_t{1} << 33);
    EXPECT_THAT(message_of([&] { (void)import_rows(file, TabularFormat::csv, settings_); }),
                HasSubstr("expected at most 268435456"));
    settings_.device = "d";
    EXPECT_THAT(message_of([&] { (void)import_halp(file, settings_); }), HasSubstr("expected at most"));
}

// What leaves a table comes back as it was, all but the kernels, which neither form has.
TEST_F(TableImport, ExportThenImportGivesTheSameRows) {
    std::mt19937 random(17);
    for (int round = 0; round < 4; ++round) {
        std::map<RowKey, Row> rows;
        for (int i = 0; i < 60; ++i) {
            const Row row = random_row(random);
            rows[row.key] = row;
        }
        std::vector<Row> list;
        for (const auto& [key, row] : rows) list.push_back(row);
        const Table table = make_table(folder_ / fmt::format("t{}.db", round), list);
        std::ostringstream as_csv;
        std::ostringstream as_json;
        write_csv(table, {}, as_csv);
        write_json(table, {}, as_json);
        settings_.device = "elsewhere";
        for (const ImportedRows& imported : {csv(as_csv.str()), json(as_json.str())}) {
            ASSERT_EQ(imported.rows.size(), rows.size());
            for (const Row& row : imported.rows) {
                Row expected = rows.at(row.key);
                expected.readings.kernels.clear();
                EXPECT_EQ(row, expected) << row.key.layer.key();
            }
            const std::filesystem::path file = folder_ / "imported.db";
            {
                const Table copy = make_table(file, imported.rows, imported.device);
                EXPECT_EQ(copy.size(), table.size());
            }
            EXPECT_TRUE(check_table(file).sound());
            std::filesystem::remove(file);
        }
    }
}

TEST_F(TableImport, ExportToHalpThenImportGivesTheSameLatencies) {
    std::map<std::string, double> latencies;
    Table table = make_table(folder_ / "t.db", {});
    std::mt19937 random(4);
    for (int i = 0; i < 200; ++i) {
        LayerSpec layer = i % 3 == 0 ? depthwise(8 * (i + 1)) : conv(8 * (i + 1), 16);
        layer.activation = Activation::none;
        const double latency_us = std::uniform_real_distribution<double>(0.01, 1e6)(random);
        table.put(network_row(layer, latency_us, 1 << 20));
        latencies[layer.key()] = latency_us;
    }
    std::ostringstream out;
    write_halp(table, {}, out);
    settings_.device = "Titan V";
    settings_.type = DataType::f16;
    const ImportedRows imported = import_halp(write("t.pkl", out.str()), settings_);
    EXPECT_EQ(imported.device.name, "Titan V");
    ASSERT_EQ(imported.rows.size(), latencies.size());
    for (const Row& row : imported.rows) {
        EXPECT_DOUBLE_EQ(row.latency_us, latencies.at(row.key.layer.key()));
        EXPECT_EQ(row.key.type, DataType::f16);
    }
}

TEST_F(TableImport, HalpsKeysAreReadStrictly) {
    settings_.device = "d";
    EXPECT_EQ(pickle_message("256_64_64_56_3_1", 1.0), "nothing was thrown")
        << "MDP's older keys have no groups";
    for (const char* key :
         {"", "1", "1_2_3_4_5", "1_2_3_4_5_6_7_8", "1_64_64_56_3_1_", "1_64_64_56_3_1_x", "1_0_64_56_3_1_1",
          "1_-64_64_56_3_1_1", "1_64_64_56_3_1_99999999999", "1 64 64 56 3 1 1", "65537_64_64_56_3_1_1"}) {
        EXPECT_THAT(pickle_message(key, 1.0), HasSubstr("BATCH_CIN_COUT_MAP_KERNEL_STRIDE_GROUPS")) << key;
    }
    EXPECT_THAT(pickle_message("1_64_64_56_3_1_7", 1.0), HasSubstr("is of no conv"));
    EXPECT_THAT(pickle_message("1_64_64_56_3_1_1", 0.0), HasSubstr("milliseconds above 0"));
    EXPECT_THAT(pickle_message("1_64_64_56_3_1_1", -2.0), HasSubstr("milliseconds above 0"));
    EXPECT_THAT(pickle_message("1_64_64_56_3_1_1", std::nan("")), HasSubstr("milliseconds above 0"));
    EXPECT_THAT(pickle_message("1_3_64_224_7_2", 1.0), HasSubstr("that an earlier key has"));
}

// A conv of sizes alone has the forms that a network has, so that its layers are known.
TEST_F(TableImport, RowsOfSizesAloneCountForTheFormsOfNetworks) {
    const Graph network = lower(find_model("resnet18"));
    std::set<LayerSpec> convs;
    std::ostringstream out;
    detail::PickleWriter pickle(out);
    std::set<std::string> keys;
    for (const Node& node : network.nodes) {
        if (node.layer.kind != LayerKind::conv) continue;
        convs.insert(node.layer);
        if (keys.insert(halp_key(node.layer, 1)).second) pickle.add(halp_key(node.layer, 1), 0.25);
    }
    pickle.add("1_64_64_55_3_1_1", 1.0);
    pickle.finish();
    settings_.device = "d";
    settings_.networks = {network};
    const ImportedRows imported = import_halp(write("t.pkl", out.str()), settings_);
    std::set<LayerSpec> known;
    for (const Row& row : imported.rows) EXPECT_TRUE(known.insert(row.key.layer).second);
    for (const LayerSpec& layer : convs) EXPECT_TRUE(known.contains(layer)) << layer.key();
    ASSERT_EQ(imported.ignored.size(), 1U);
    EXPECT_THAT(imported.ignored.front(), HasSubstr("1_64_64_55_3_1_1"));

    // Other channels than the network's as well, and rows of CSV that say no more than sizes.
    const ImportedRows rows =
        csv("kind,in_channels,out_channels,kernel,height,latency_us\nconv,40,40,3,56,1\n");
    ASSERT_EQ(rows.rows.size(), 2U) << "with a residual, and without one";
    for (const Row& row : rows.rows) EXPECT_EQ(row.key.layer.activation, Activation::relu);
    EXPECT_EQ(
        csv("kind,in_channels,out_channels,kernel,height,activation,latency_us\nconv,40,40,3,56,none,1\n")
            .rows.size(),
        1U);
}

TEST_F(TableImport, EveryBeginningOfAFileIsReadOrRefused) {
    settings_.device = "d";
    const std::string text =
        "kind,in_channels,out_channels,kernel,height,latency_us,missing_reasons\r\n"
        "conv,3,64,7,224,1.5,\"{\"\"dram_bytes\"\":\"\"none\"\"}\"\r\nlinear,512,10,,,2,\r\n";
    for (std::size_t size = 0; size < text.size(); ++size) {
        try {
            EXPECT_LE(csv(text.substr(0, size)).rows.size(), 2U);
        } catch (const InputError&) {
            continue;
        }
    }
}

}  // namespace
}  // namespace hacscale
