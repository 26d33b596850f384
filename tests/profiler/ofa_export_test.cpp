#include "profiler/table/export.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <map>
#include <set>
#include <sstream>

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

TEST_F(OfaExport, TheSlowestOfRowsWithTheSameWordsCounts) {
    LayerSpec layer = conv(3, 16, 224);
    layer.window = Window::square(3, 2, 1);
    layer.activation = Activation::relu6;
    table_.put(network_row(layer, 1.5, 1 << 20));
    table_.put(network_row(layer, 2.5, 1 << 24));
    table_.put(network_row(layer, 2.0, 1 << 28));
    layer.activation = Activation::hard_swish;
    table_.put(network_row(layer, 2.25, 1 << 20));
    EXPECT_EQ(exported(),
              (std::map<std::string, double>{{"Conv-input:224x224x3-output:112x112x16", 0.0025}}));
    EXPECT_EQ(summary_.written, 1);
    EXPECT_EQ(summary_.left_out.at("a slower row has the same words"), 3);
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
