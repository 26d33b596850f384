#include "profiler/table/export.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <array>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

class OfaExport : public ::testing::Test {
protected:
    // Rows of all layers of a network, each with another latency.
    void measure(const std::string& name) {
        for (const Node& node : lower(find_model(name)).nodes) {
            if (!latency_us_.contains(node.layer)) {
                latency_us_[node.layer] = 1.0 + 0.37 * static_cast<double>(latency_us_.size());
                table_.put(network_row(node.layer, latency_us_[node.layer], 1 << 22));
            }
        }
    }

    // Words and milliseconds, after a reader's checks: no key twice, nothing but the mean in an entry.
    std::map<std::string, double> exported(const RowFilter& filter = {}) {
        std::ostringstream out;
        summary_ = write_ofa_yaml(table_, filter, out);
        text_ = out.str();
        std::map<std::string, double> entries;
        for (const auto& entry : YAML::Load(text_)) {
            EXPECT_TRUE(entry.second.IsMap() && entry.second.size() == 1);
            const auto words = entry.first.as<std::string>();
            EXPECT_TRUE(entries.emplace(words, entry.second["mean"].as<double>()).second) << words;
        }
        EXPECT_EQ(summary_.entries, static_cast<std::int64_t>(entries.size()));
        std::int64_t left_out = 0;
        for (const auto& [reason, rows] : summary_.left_out) left_out += rows;
        EXPECT_EQ(summary_.rows, table_.size());
        EXPECT_EQ(summary_.written + left_out, summary_.rows);
        return entries;
    }

    double sum_ms(const std::string& name) {
        double sum = 0.0;
        for (const Node& node : lower(find_model(name)).nodes) {
            sum += latency_us_.at(node.layer) / 1000.0;
        }
        return sum;
    }

    TempFolder folder_;
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &test_device);
    std::map<LayerSpec, double> latency_us_;
    ExportSummary summary_;
    std::string text_;
};

// Walks a network as once-for-all's tables do, block by block, and sums what it looks up.
class LookUp {
public:
    LookUp(const std::map<std::string, double>& entries, const ModelSpec& model)
        : entries_(entries), size_((model.resolution + 1) / 2) {
        const int width = std::get<ConvSpec>(model.stem[0]).width;
        add(fmt::format("Conv-input:{0}x{0}x3-output:{1}x{1}x{2}", model.resolution, size_, width));
        channels_ = width;
    }

    // `tail`: what follows idskip, from the stage.
    template <typename Expand, typename Tail>
    void blocks(const ModelSpec& model, const Expand& expand, const Tail& tail) {
        for (const StageSpec& stage : model.stages) {
            for (int i = 0; i < stage.depth; ++i) {
                const int stride = i == 0 ? stage.stride : 1;
                const int out_size = (size_ - 1) / stride + 1;
                const bool skip = stride == 1 && channels_ == stage.width;
                add(fmt::format(
                    "expanded_conv-input:{0}x{0}x{1}-output:{2}x{2}x{3}-expand:{4}-kernel:{5}-stride:{6}"
                    "-idskip:{7}{8}",
                    size_, channels_, out_size, stage.width,
                    expand(stage.inner_widths[static_cast<std::size_t>(i)], channels_), stage.kernel, stride,
                    skip ? 1 : 0, tail(stage)));
                size_ = out_size;
                channels_ = stage.width;
            }
        }
    }

    void add(const std::string& words) {
        const auto entry = entries_.find(words);
        ASSERT_NE(entry, entries_.end()) << words;
        sum_ms_ += entry->second;
    }

    int size() const { return size_; }
    int channels() const { return channels_; }
    double sum_ms() const { return sum_ms_; }

private:
    const std::map<std::string, double>& entries_;
    int size_;
    int channels_ = 0;
    double sum_ms_ = 0.0;
};

TEST_F(OfaExport, PredictsMobileNetV2AsTheTableDoes) {
    for (const std::string name : {"mobilenetv2-1.0", "mobilenetv2-0.5"}) measure(name);
    const auto entries = exported();
    for (const std::string name : {"mobilenetv2-1.0", "mobilenetv2-0.5"}) {
        const ModelSpec model = find_model(name);
        LookUp table(entries, model);
        table.blocks(
            model, [](int inner, int input) { return inner / input; }, [](const StageSpec&) { return ""; });
        const int last = std::get<ConvSpec>(model.head[0]).width;
        table.add(
            fmt::format("Conv_1-input:{0}x{0}x{1}-output:{0}x{0}x{2}", table.size(), table.channels(), last));
        table.add(fmt::format("Logits-input:{0}x{0}x{1}-output:{2}", table.size(), last, model.classes));
        EXPECT_NEAR(table.sum_ms(), sum_ms(name), 1e-9) << name;
    }
    EXPECT_EQ(summary_.written, summary_.rows) << "every layer of these networks has a place";
}

TEST_F(OfaExport, PredictsMobileNetV3AsTheTableDoes) {
    for (const std::string name : {"mobilenetv3-large-1.0", "mobilenetv3-small-1.0"}) measure(name);
    const auto entries = exported();
    for (const std::string name : {"mobilenetv3-large-1.0", "mobilenetv3-small-1.0"}) {
        const ModelSpec model = find_model(name);
        LookUp table(entries, model);
        table.blocks(
            model, [](int inner, int) { return inner; },
            [](const StageSpec& stage) {
                return fmt::format("-se:{}-hs:{}", stage.squeeze_excite ? 1 : 0,
                                   stage.activation == Activation::hard_swish ? 1 : 0);
            });
        const int last = std::get<ConvSpec>(model.head[0]).width;
        const int mixed = std::get<LinearSpec>(model.head[2]).width;
        table.add(
            fmt::format("Conv_1-input:{0}x{0}x{1}-output:{0}x{0}x{2}", table.size(), table.channels(), last));
        table.add(fmt::format("AvgPool2D-input:{0}x{0}x{1}-output:1x1x{1}", table.size(), last));
        table.add(fmt::format("Conv_2-input:1x1x{}-output:1x1x{}", last, mixed));
        table.add(fmt::format("Logits-input:1x1x{}-output:{}", mixed, model.classes));
        EXPECT_NEAR(table.sum_ms(), sum_ms(name), 1e-9) << name;
    }
}

TEST_F(OfaExport, LeavesOutWhatItHasNoWordsFor) {
    measure("resnet18");
    const auto entries = exported();
    for (const auto& [words, ms] : entries) {
        EXPECT_TRUE(words.starts_with("AvgPool2D-") || words.starts_with("Logits-")) << words;
    }
    EXPECT_EQ(summary_.written, 2);
    EXPECT_EQ(summary_.left_out.at("once-for-all has no words for a max_pool of this form"), 1);
    EXPECT_GT(summary_.left_out.at("once-for-all has no words for a conv of this form"), 5);
}

// Rows of a layer are of several networks: their mean counts, and the mean of layers with the same words. The slowest of each
// would add up to more than any network takes.
TEST_F(OfaExport, OfEqualWordsTheMeanCounts) {
    LayerSpec layer = conv(3, 16, 224);
    layer.window = Window::square(3, 2, 1);
    layer.activation = Activation::relu6;
    table_.put(network_row(layer, 1.5, 1 << 20));
    table_.put(network_row(layer, 2.5, 1 << 24));
    table_.put(network_row(layer, 2.0, 1 << 28));
    layer.activation = Activation::hard_swish;
    table_.put(network_row(layer, 3.0, 1 << 20));
    Row noisy = network_row(layer, 300.0, 1 << 24);
    noisy.status = RowStatus::noisy;
    noisy.reason = "wide";
    table_.put(noisy);
    EXPECT_EQ(exported(),
              (std::map<std::string, double>{{"Conv-input:224x224x3-output:112x112x16", 0.0025}}));
    EXPECT_EQ(summary_.written, 4);
    EXPECT_EQ(summary_.left_out.at("the layer has rows that are not noisy"), 1);
}

// A network runs in one memory layout.
TEST_F(OfaExport, RowsOfTheUsualLayoutCountFirst) {
    measure("mobilenetv2-0.35");
    const auto before = exported();
    const Graph network = lower(find_model("mobilenetv2-0.35"));
    for (std::size_t i = 0; i < 3; ++i) {
        LayerSpec layer = network.nodes[i].layer;
        layer.layout = Layout::blocked;
        table_.put(network_row(layer, 1000.0, 1 << 22));
    }
    EXPECT_EQ(exported(), before);
    EXPECT_EQ(summary_.left_out.at("the layer was also measured in the memory layout of most layers"), 3);
    LayerSpec more = conv(3, 24, 320);
    more.window = Window::square(3, 2, 1);
    more.activation = Activation::relu6;
    more.layout = Layout::blocked;
    table_.put(network_row(more, 7.0, 1 << 22));
    EXPECT_EQ(exported().at("Conv-input:320x320x3-output:160x160x24"), 0.007) << "where there is no other";
}

// once-for-all's own MobileNetV3 space, as its tutorial searches it (LatencyEstimator of ofa/tutorial/latency_table.py): width
// 1.2, 5 stages of 2 to 4 blocks, each block with its kernel and expansion. bench/once-for-all has networks that cover it.
class OfaSpace {
public:
    struct Block {
        int kernel;
        int expansion;
    };
    using Blocks = std::vector<std::vector<Block>>;

    static Blocks random(std::mt19937& generator) {
        const auto one_of = [&](std::initializer_list<int> values) {
            return *(values.begin() + std::uniform_int_distribution<std::ptrdiff_t>(0, 2)(generator));
        };
        Blocks blocks(5);
        for (std::vector<Block>& stage : blocks) {
            const int depth = one_of({2, 3, 4});
            for (int i = 0; i < depth; ++i) stage.push_back({one_of({3, 5, 7}), one_of({3, 4, 6})});
        }
        return blocks;
    }

    // What its code looks up, in milliseconds.
    static double looked_up_ms(const std::map<std::string, double>& entries, const Blocks& blocks) {
        double sum_ms = 0.0;
        const auto add = [&](const std::string& words) {
            const auto entry = entries.find(words);
            ASSERT_NE(entry, entries.end()) << words;
            sum_ms += entry->second;
        };
        add("Conv-input:224x224x3-output:112x112x24");
        add("expanded_conv-input:112x112x24-output:112x112x24-expand:24-kernel:3-stride:1-idskip:1-se:0-hs:"
            "0");
        int size = 112;
        int channels = 24;
        for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
            for (std::size_t i = 0; i < blocks[stage].size(); ++i) {
                const int stride = i == 0 ? strides[stage] : 1;
                const int out = (size - 1) / stride + 1;
                add(fmt::format(
                    "expanded_conv-input:{0}x{0}x{1}-output:{2}x{2}x{3}-expand:{4}-kernel:{5}-stride:{6}"
                    "-idskip:{7}-se:{8}-hs:{9}",
                    size, channels, out, widths[stage], channels * blocks[stage][i].expansion,
                    blocks[stage][i].kernel, stride, i == 0 ? 0 : 1, squeezes[stage] ? 1 : 0,
                    stage >= 2 ? 1 : 0));
                size = out;
                channels = widths[stage];
            }
        }
        add("Conv_1-input:7x7x192-output:7x7x1152");
        add("AvgPool2D-input:7x7x1152-output:1x1x1152");
        add("Conv_2-input:1x1x1152-output:1x1x1536");
        add("Logits-input:1x1x1536-output:1000");
        return sum_ms;
    }

    static ModelSpec model(const Blocks& blocks) {
        ModelSpec model = load_model(HACSCALE_SOURCE_DIR "/bench/once-for-all/ofa-mbv3-k3-e3.yaml");
        const std::vector<StageSpec> stages = std::move(model.stages);
        model.stages = {stages.front()};
        for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
            int input = model.stages.back().width;
            for (std::size_t i = 0; i < blocks[stage].size(); ++i) {
                StageSpec block = stages[stage + 1];
                block.name = fmt::format("stage{}block{}", stage + 1, i + 1);
                block.depth = 1;
                if (i > 0) block.stride = 1;
                block.kernel = blocks[stage][i].kernel;
                block.padding.reset();
                block.inner_widths = {input * blocks[stage][i].expansion};
                model.stages.push_back(block);
                input = block.width;
            }
        }
        return model;
    }

private:
    static constexpr std::array widths{32, 48, 96, 136, 192};
    static constexpr std::array strides{2, 2, 2, 1, 2};
    static constexpr std::array squeezes{false, true, false, true, true};
};

TEST_F(OfaExport, HasEveryKeyOfItsMobileNetV3Space) {
    std::mt19937 generator(1);
    for (const int kernel : {3, 5, 7}) {
        for (const int expansion : {3, 4, 6}) {
            const ModelSpec model = load_model(fmt::format("{}/bench/once-for-all/ofa-mbv3-k{}-e{}.yaml",
                                                           HACSCALE_SOURCE_DIR, kernel, expansion));
            for (const Node& node : lower(model).nodes) {
                // A layer of several of these networks has several rows.
                double& known_us = latency_us_[node.layer];
                if (known_us == 0.0) known_us = 1.0 + 0.37 * static_cast<double>(latency_us_.size());
                table_.put(network_row(node.layer, known_us, 1 << (20 + kernel)));
            }
        }
    }
    const auto entries = exported();
    EXPECT_EQ(summary_.written, summary_.rows) << "every layer of these networks has a place";
    for (int i = 0; i < 50; ++i) {
        const OfaSpace::Blocks blocks = OfaSpace::random(generator);
        double layers_ms = 0.0;
        for (const Node& node : lower(OfaSpace::model(blocks)).nodes) {
            ASSERT_TRUE(latency_us_.contains(node.layer)) << node.layer.key();
            layers_ms += latency_us_.at(node.layer) / 1000.0;
        }
        EXPECT_NEAR(OfaSpace::looked_up_ms(entries, blocks), layers_ms, 1e-9);
    }
}

TEST_F(OfaExport, SaysWhichBlocksCannotBeMade) {
    LayerSpec layer = depthwise(16);
    layer.activation = Activation::relu6;
    table_.put(network_row(layer, 1.0, 1 << 20));
    table_.put(failed_row(conv(8, 8)));
    EXPECT_TRUE(exported().empty());
    EXPECT_EQ(summary_.left_out.size(), 2U);
    EXPECT_EQ(summary_.left_out.at("they have no latency: they are failed"), 1);
}

TEST_F(OfaExport, AsksForOneState) {
    measure("mobilenetv2-0.35");
    table_.put(warm_row(conv(8, 8), 1.0));
    std::ostringstream out;
    expect_error<InputError>([&] { write_ofa_yaml(table_, {}, out); },
                             {"batch 1, f32, network", "batch 1, f32, warm", "--cache"});
    EXPECT_EQ(out.str(), "") << "nothing is written then";
    EXPECT_GT(write_ofa_yaml(table_, {.cache = CacheState::network}, out).entries, 0);
}

// YAML 1.1, PyYAML's: a number with an exponent has a point and a sign, else it is read as text.
TEST_F(OfaExport, NumbersAreNumbersInOldYamlToo) {
    LayerSpec layer = conv(3, 16, 224);
    layer.window = Window::square(3, 2, 1);
    layer.activation = Activation::relu6;
    for (const double latency_us : {0.01, 1e-5, 2e-4, 1.0, 1000.0, 1e7, 1e22, 123456.789}) {
        table_.put(network_row(layer, latency_us, 1 << 20));
        EXPECT_EQ(exported().begin()->second, latency_us / 1000.0);
        const std::string number = text_.substr(text_.rfind(' ') + 1);
        EXPECT_NE(number.find('.'), std::string::npos) << number;
        const std::size_t exponent = number.find('e');
        if (exponent != std::string::npos) {
            EXPECT_NE(std::string("+-").find(number[exponent + 1]), std::string::npos);
        }
    }
}

TEST(OfaExportOfADevice, WithAnyNameStaysOneComment) {
    const TempFolder folder;
    const DeviceRecord device{"cpu", "two\nlines: [", "0123456789abcdef", "{}"};
    const Table table = make_table(folder / "t.db", {}, device);
    std::ostringstream out;
    write_ofa_yaml(table, {}, out);
    EXPECT_EQ(YAML::Load(out.str()).size(), 0U);
    EXPECT_TRUE(YAML::Load(out.str()).IsMap());
}

TEST_F(OfaExport, SaysThatTheOutputFailed) {
    measure("mobilenetv2-0.35");
    std::ofstream full("/dev/full");
    EXPECT_THROW(write_ofa_yaml(table_, {}, full), WorkError);
}

}  // namespace
}  // namespace hacscale
