#include "models/formats/formats.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/models/generated.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// A sound model in block style, a value a line, so that each case can spoil one line.
const std::string sound = R"(name: small
input: {channels: 3, resolution: 32}
classes: 10
stem:
  - conv: {width: 16}
stages:
  - name: first
    block: basic
    width: 16
    depth: 2
  - name: second
    block: inverted_residual
    width: 24
    depth: 2
    stride: 2
    expansion: 6
    squeeze_excite:
      ratio: 0.25
head:
  - global_avg_pool
  - linear
)";

// `sound` with its given line replaced.
std::string with_line(int line, const std::string& text) {
    std::string out;
    std::size_t begin = 0;
    for (int at = 1; begin < sound.size(); ++at) {
        const std::size_t end = sound.find('\n', begin) + 1;
        out += at == line ? text + "\n" : sound.substr(begin, end - begin);
        begin = end;
    }
    return out;
}

// The message must begin with "file:line:" and hold the fragment.
void expect_refused(const std::string& yaml, int line, const std::string& fragment) {
    try {
        parse_model(yaml, "m.yaml");
        ADD_FAILURE() << "accepted, expected: " << fragment << "\n" << yaml.substr(0, 500);
    } catch (const InputError& error) {
        EXPECT_THAT(error.what(), StartsWith("m.yaml:" + std::to_string(line) + ": ")) << yaml.substr(0, 500);
        EXPECT_THAT(error.what(), HasSubstr(fragment));
    }
}

TEST(ModelYaml, ReadsWhatIsWritten) {
    const ModelSpec model = parse_model(sound, "m.yaml");
    EXPECT_EQ(model.name, "small");
    EXPECT_EQ(model.resolution, 32);
    EXPECT_EQ(model.classes, 10);
    ASSERT_EQ(model.stages.size(), 2u);
    EXPECT_EQ(model.stages[0].inner_widths, (std::vector<int>{16, 16}));
    EXPECT_EQ(model.stages[1].inner_widths, (std::vector<int>{96, 144}));
    EXPECT_EQ(model.stages[1].squeeze_excite->ratio, 0.25);
    EXPECT_EQ(model.head.size(), 2u);
}

TEST(ModelYaml, TheModelsActivationIsTheDefaultOfConvsNormsAndBlocks) {
    const ModelSpec model = parse_model(
        "{name: a, input: {resolution: 8}, classes: 2, activation: silu, stem: [conv: {width: 4}, norm],"
        " stages: [{block: conv, width: 8, depth: 1}, {block: conv, width: 8, depth: 1, activation: none}],"
        " head: [linear]}",
        "m.yaml");
    EXPECT_EQ(std::get<ConvSpec>(model.stem[0]).activation, Activation::silu);
    EXPECT_EQ(std::get<NormSpec>(model.stem[1]).activation, Activation::silu);
    EXPECT_EQ(model.stages[0].activation, Activation::silu);
    EXPECT_EQ(model.stages[1].activation, Activation::none);
    EXPECT_EQ(std::get<LinearSpec>(model.head[0]).activation, Activation::none);
}

TEST(ModelYaml, RefusesOneBadLineAndNamesIt) {
    const struct {
        int line;
        const char* text;
        const char* fragment;
    } cases[] = {
        // Keys.
        {1, "nmae: small", "a model has no key 'nmae'; did you mean 'name'?"},
        {9, "    widht: 16", "a stage has no key 'widht'; did you mean 'width'?"},
        {18, "      ratoi: 0.25", "squeeze_excite has no key 'ratoi'; did you mean 'ratio'?"},
        {5, "  - conv: {width: 16, kernal: 3}", "conv has no key 'kernal'; did you mean 'kernel'?"},
        {10, "    width: 16", "'width' stands here again; it was given on line 9"},
        {3, "name: again", "'name' stands here again; it was given on line 1"},
        {20, "  - global_avg_pool: {size: 3}", "global_avg_pool has no key 'size'"},
        {3, "[1, 2]: 3", "as a key"},
        // Types.
        {2, "input: 32", "input: expected a mapping with keys from channels, resolution, found '32'"},
        {2, "input: {resolution: \"32\"}", "expected a whole number from 1 to 65536, found the text '32'"},
        {2, "input: {resolution: 32.0}", "found '32.0'"},
        {2, "input: {resolution: 0x20}", "found '0x20'"},
        {2, "input: {resolution: }", "found nothing"},
        {2, "input: {resolution: [32]}", "found a list"},
        {3, "classes: ten", "classes: expected a whole number from 1 to 65536, found 'ten'"},
        {5, "  - conv: {width: 16, batch_norm: yes}", "expected true or false, found 'yes'"},
        {5, "  - conv: {width: 16, activation: [relu]}", "activation: expected text, found a list"},
        {5, "  - conv: {width: 16, activation: glu}", "'glu' is no activation; expected one of none, relu"},
        {5, "  - attention: {width: 16}", "'attention' is no layer of a stem or head"},
        {5, "  - {conv: {width: 16}, norm: {}}", "found a mapping of 2 keys"},
        {5, "  - [conv]", "found a list"},
        {8, "    block: dense", "'dense' is no kind of block; expected one of conv, separable"},
        {18, "      ratio: quarter", "expected a number above 0 and at most 1, found 'quarter'"},
        {18, "      ratio: .nan", "found '.nan'"},
        {18, "      ratio: nan", "found 'nan'"},
        {1, "name: [small]", "name: expected text, found a list"},
        {1, "name: ../small", "found '../small'"},
        {1, "name: \"\"", "name: expected at most 100 letters"},
        {11, "  - name: first", "two stages are called 'first'"},
        // Ranges.
        {9, "    width: 0", "width: expected a whole number from 1 to 65536, found '0'"},
        {9, "    width: -16", "found '-16'"},
        {9, "    width: 1000000000", "found '1000000000'"},
        {9, "    width: 100000000000000000000", "from 1 to 65536"},
        {10, "    depth: 1001", "depth: expected a whole number from 1 to 1000, found '1001'"},
        {10, "    depth: 2147483647", "from 1 to 1000"},
        {15, "    stride: 0", "stride: expected"},
        {16, "    expansion: 0", "expected a number above 0 and at most 64"},
        {16, "    expansion: 65", "at most 64"},
        {16, "    expansion: 0.001", "gives an inner width of 0"},
        {18, "      ratio: 0", "above 0"},
        {5, "  - max_pool: {kernel: 3, stride: 2, padding: 2}",
         "padding: expected a whole number from 0 to 1"},
        // Parts that do not fit together.
        {16, "    inner_width: [96]", "expected one width for each of the 2 blocks, found 1"},
        {16, "    inner_width: [96, -1]", "inner_width: expected a whole number"},
        {16, "    inner_ratio: 6", "expected the key 'expansion'"},
        {15, "    group_width: 8", "a group width belongs to bottleneck blocks"},
        {15, "    kernel: 4", "odd kernel"},
        {5, "  - max_pool: {kernel: 33, stride: 1}", "smaller than the 33x33 window"},
        {20, "  - linear", "entry 1 of the head: width is 0"},
    };
    for (const auto& [line, text, fragment] : cases) {
        SCOPED_TRACE(text);
        expect_refused(with_line(line, text), line, fragment);
    }
}

TEST(ModelYaml, RefusesWhatIsMissingOrSaidTwice) {
    expect_refused(with_line(1, ""), 2, "a model needs the key 'name'");
    expect_refused(with_line(2, ""), 1, "a model needs the key 'input'");
    expect_refused(with_line(3, ""), 21, "the last linear layer has no width and the model no classes");
    expect_refused(with_line(8, ""), 7, "a stage needs the key 'block'");
    expect_refused(with_line(16, ""), 11, "needs the key 'inner_width' or 'expansion'");
    expect_refused(with_line(15, "    inner_width: 96"), 16, "given a second time; it was given on line 15");
    expect_refused(with_line(8, "    block: conv\n    inner_ratio: 1"), 9, "conv blocks have no inner width");
    expect_refused(with_line(10, "    depth: 2\n    inner_width: [16, 0]"), 11, "from 1 to 65536, found '0'");
    expect_refused("name: a\ninput: {resolution: 8}\nclasses: 2\n", 1, "the model has no layers");
    expect_refused("name: a\ninput: {resolution: 8}\nclasses: 2\nstages: {}\n", 4,
                   "expected a list, found a mapping");
}

TEST(ModelYaml, RefusesTextThatIsNoPlainDocument) {
    expect_refused("", 1, "empty");
    expect_refused("# only a comment\n", 1, "empty");
    expect_refused("---\n", 2, "expected a mapping");
    expect_refused("- a\n- b\n", 1, "expected a mapping with keys from name, source");
    expect_refused(std::string("name: a\n\0\n", 10), 2, "NUL byte");
    expect_refused("name: a\nsource: \xff\n", 2, "UTF-8");
    expect_refused("name: a\nsource: \xc0\xaf\n", 2, "UTF-8");          // an overlong form
    expect_refused("name: a\nsource: \xed\xa0\x80\n", 2, "UTF-8");      // half of a surrogate pair
    expect_refused("name: a\nsource: \xf4\x90\x80\x80\n", 2, "UTF-8");  // above U+10FFFF
    expect_refused("name: a\nsource: \xe2\x82", 2, "UTF-8");            // cut short
    // yaml-cpp makes single bytes of these.
    expect_refused("name: a\nsource: \"\\N\"\n", 2, "escape");
    expect_refused("name: a\n\"sour\\_ce\": b\n", 2, "escape");
    expect_refused("name: a\nsource: \"b\\0\"\n", 2, "zero byte");
    expect_refused("name: a\nsource: [open\n", 3, "no valid YAML");
    expect_refused("name: a\n\tsource: b\n", 2, "no valid YAML");
    expect_refused("name: a\nsource: \"\\\xc3\xa9\"\n", 2,
                   "no valid YAML: unknown escape character: \xef\xbf\xbd");
    expect_refused(sound + "---\n" + sound, 23, "a second document");
    expect_refused("name: &n a\nsource: *n\n", 1, "an anchor");
    expect_refused("name: a\nsource: *n\n", 2, "n");
    expect_refused("&m name: a\nstages: [*m]\n", 1, "an anchor");
    expect_refused("name: a\nclasses: !!int 3\n", 2, "a tag");
    expect_refused("name: a\n<<: {classes: 3}\n", 2, "no key '<<'");
    expect_refused("name: \"a\\nb\"\n", 1, "one line");
}

TEST(ModelYaml, HugeInputsEndSoonAndSafely) {
    for (const char* opening : {"[", "{a: ", "- ", "? ", "[{a: ["}) {
        std::string deep = "name: a\nstages: ";
        for (int i = 0; i < 100'000; ++i) deep += opening;
        EXPECT_THROW(parse_model(deep, "m.yaml"), InputError) << opening;
    }
    std::string nested = "stages: ";
    for (int i = 0; i < 17; ++i) nested += "[";
    expect_refused("name: a\n" + nested, 2, "nested more than 16 deep");

    expect_refused("name: a\n#" + std::string(1 << 20, 'x'), 1, "expected at most 1048576");
    std::string values = "name: a\nstages: [0";
    for (int i = 0; i < 200'000; ++i) values += ",0";
    expect_refused(values + "]", 2, "more than 100000 values");
    std::string keys = "name: a\n";
    for (int i = 0; i < 1'000; ++i) keys.append("k").append(std::to_string(i)).append(": 0\n");
    expect_refused(keys, 65, "more than 64 keys");
    std::string stages = "name: a\ninput: {resolution: 8}\nclasses: 2\nstages:\n";
    for (int i = 0; i < 65; ++i) stages += "  - {block: conv, width: 8, depth: 1}\n";
    expect_refused(stages, 5, "stages: expected at most 64 entries, found 65");
}

// Damaged text either reads as a model that can be written and read again, or is refused as input; nothing
// else happens.
TEST(ModelYaml, DamagedTextIsRefusedOrSound) {
    testing::Generator generate(7);
    for (int i = 0; i < 4'000; ++i) {
        std::string text = sound;
        for (int edits = generate.between(1, 4); edits > 0; --edits) {
            const int at = generate.between(0, static_cast<int>(text.size()) - 1);
            switch (generate.between(0, 3)) {
                case 0:
                    text[at] = static_cast<char>(generate.between(0, 255));
                    break;
                case 1:
                    text.erase(at, generate.between(1, 20));
                    break;
                case 2:
                    text.insert(at, text.substr(generate.between(0, at), generate.between(1, 20)));
                    break;
                default:
                    text.insert(at, 1,
                                generate.one_of({'[', ']', '{', '}', ':', '-', '"', '\'', '|', '>', '&', '*',
                                                 '!', '%', '9', '\n'}));
            }
            if (text.empty()) text.push_back(' ');
        }
        try {
            const ModelSpec model = parse_model(text, "m.yaml");
            EXPECT_EQ(parse_model(to_yaml(model), "again"), model) << text;
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), StartsWith("m.yaml:")) << text;
        }
    }
}

TEST(ModelYaml, AnySoundModelRoundTrips) {
    testing::Generator generate(8);
    int sound_models = 0;
    for (int i = 0; i < 3'000; ++i) {
        const ModelSpec model = generate.model();
        try {
            check(model);
        } catch (const InputError&) {
            continue;
        }
        ++sound_models;
        ASSERT_EQ(parse_model(to_yaml(model), "m.yaml"), model) << to_yaml(model);
    }
    EXPECT_GT(sound_models, 1'000);
}

TEST(ModelHash, KnowsTheContentAndNothingElse) {
    const ModelSpec base = parse_model(sound, "m.yaml");
    ModelSpec renamed = base;
    renamed.name = "other";
    renamed.source = "elsewhere";
    EXPECT_EQ(model_hash(renamed), model_hash(base));
    EXPECT_EQ(model_hash(base).size(), 16u);
    ModelSpec wider = base;
    wider.stages[1].width += 8;
    EXPECT_NE(model_hash(wider), model_hash(base));
    ModelSpec larger = base;
    larger.resolution += 8;
    EXPECT_NE(model_hash(larger), model_hash(base));
}

TEST(LoadModel, ReadsFilesAndNamesThemInErrors) {
    const testing::TempFolder folder;
    const std::filesystem::path file = folder / "a model.yaml";
    std::ofstream(file) << sound;
    EXPECT_EQ(load_model(file), parse_model(sound, "m.yaml"));
    std::ofstream(file) << with_line(3, "classes: none");
    const auto message = [](const std::filesystem::path& path) -> std::string {
        try {
            load_model(path);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(message(file), StartsWith(file.string() + ":3: classes"));
    EXPECT_THAT(message(folder.path()), HasSubstr("expected a model, a YAML file"));
    EXPECT_THAT(message(folder / "none.yaml"), HasSubstr("no file"));
    std::ofstream(file) << std::string((1 << 20) + 1, ' ');
    EXPECT_THAT(message(file), HasSubstr("at most 1048576 bytes"));
}

}  // namespace
}  // namespace hacscale
