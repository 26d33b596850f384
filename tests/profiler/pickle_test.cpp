#include "profiler/table/detail/pickle.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <random>
#include <sstream>

#include "base/error.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::detail {
namespace {

using ::testing::HasSubstr;

std::string pickled(const PickledNumbers& numbers) {
    std::ostringstream out;
    PickleWriter writer(out);
    for (const auto& [key, value] : numbers) writer.add(key, value);
    writer.finish();
    return out.str();
}

// A pickle's bytes as a list, so that "\x80" needs no care.
std::string bytes(std::initializer_list<int> values) {
    std::string text;
    for (const int value : values) text += static_cast<char>(value);
    return text;
}

std::string message_of(const std::string& pickle) {
    try {
        (void)read_pickle(pickle, "t.pkl");
    } catch (const InputError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Pickle, HasTheBytesOfProtocol2) {
    // pickletools.dis: PROTO 2, EMPTY_DICT, MARK, BINUNICODE '1_3_8', BINFLOAT 1.5, SETITEMS, STOP.
    EXPECT_EQ(pickled({{"1_3_8", 1.5}}), bytes({0x80, 2, '}', '(', 'X', 5, 0, 0, 0}) + "1_3_8" +
                                             bytes({'G', 0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 'u', '.'}));
    EXPECT_EQ(pickled({}), bytes({0x80, 2, '}', '.'}));
}

TEST(Pickle, ReadsWhatItWrites) {
    std::mt19937_64 random(3);
    for (const std::size_t size : {0U, 1U, 999U, 1000U, 1001U, 2500U}) {
        PickledNumbers numbers;
        for (std::size_t i = 0; i < size; ++i) {
            numbers.emplace_back("key_" + std::to_string(i) + (i % 7 == 0 ? "\xc3\xa9" : ""),
                                 std::bit_cast<double>(random() >> 2));  // any positive number
        }
        EXPECT_EQ(read_pickle(pickled(numbers), "t.pkl"), numbers);
    }
}

// What Python 3 writes for {"a": 1, "bc": 2.5, "d": 300, "e": 70000, "f": -1, "g": 2**40} by protocol.
TEST(Pickle, ReadsWhatPythonWrites) {
    const PickledNumbers expected{{"a", 1.0},     {"bc", 2.5}, {"d", 300.0},
                                  {"e", 70000.0}, {"f", -1.0}, {"g", 1099511627776.0}};
    const std::string body2 =
        bytes({'(', 'X', 1,   0,   0,    0, 'a',  'q', 1,   'K', 1,   'X',  2,    0,    0,    0,    'b',
               'c', 'q', 2,   'G', 0x40, 4, 0,    0,   0,   0,   0,   0,    'X',  1,    0,    0,    0,
               'd', 'q', 3,   'M', 0x2c, 1, 'X',  1,   0,   0,   0,   'e',  'q',  4,    'J',  0x70, 0x11,
               1,   0,   'X', 1,   0,    0, 0,    'f', 'q', 5,   'J', 0xff, 0xff, 0xff, 0xff, 'X',  1,
               0,   0,   0,   'g', 'q',  6, 0x8a, 6,   0,   0,   0,   0,    0,    1,    'u',  '.'});
    EXPECT_EQ(read_pickle(bytes({0x80, 2, '}', 'q', 0}) + body2, "t.pkl"), expected);
    const std::string body4 =
        bytes({0x80, 4, 0x95, 0x19, 0,   0,   0,    0,   0,    0, 0, '}', 0x94, '(', 0x8c, 1, 'a', 0x94,
               'K',  1, 0x8c, 2,    'b', 'c', 0x94, 'G', 0x40, 4, 0, 0,   0,    0,   0,    0, 'u', '.'});
    EXPECT_EQ(read_pickle(body4, "t.pkl"), (PickledNumbers{{"a", 1.0}, {"bc", 2.5}}));
    // One item alone has no mark; a text that comes again is recalled.
    EXPECT_EQ(read_pickle(bytes({0x80, 2, '}', 'X', 1, 0, 0, 0, 'a', 'q', 1, 'K', 7, 's', '.'}), "t.pkl"),
              (PickledNumbers{{"a", 7.0}}));
    EXPECT_THAT(message_of(bytes(
                    {0x80, 2, '}', 'X', 1, 0, 0, 0, 'a', 'q', 1, 'K', 7, 's', 'h', 1, 'K', 8, 's', '.'})),
                HasSubstr("the key 'a' twice"));
}

TEST(Pickle, RefusesWhatWouldRunCodeByName) {
    // os.system("true"), as attacks on pickles are made.
    EXPECT_THAT(message_of(bytes({0x80, 2, 'c'}) + "os\nsystem\n(X" + bytes({4, 0, 0, 0}) + "truetR."),
                ::testing::AllOf(HasSubstr("byte 2"), HasSubstr("GLOBAL"), HasSubstr("plain floats")));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'X', 1, 0, 0, 0, 'a', 'c'}) + "numpy\nfloat64\n"),
                HasSubstr("GLOBAL"));
    EXPECT_THAT(message_of(bytes({0x80, 4, 0x8c, 2, 'o', 's', 0x8c, 1, 'x', 0x93, '.'})),
                HasSubstr("STACK_GLOBAL"));
    EXPECT_THAT(message_of(bytes({0x80, 2, ']', '.'})), HasSubstr("EMPTY_LIST"));
    EXPECT_THAT(message_of(bytes({0x80, 2, 0xf1, '.'})), HasSubstr("0xf1 is no opcode"));
}

TEST(Pickle, RefusesWhatIsNoTable) {
    EXPECT_THAT(message_of(""), HasSubstr("protocol 2"));
    EXPECT_THAT(message_of("(dp0\n."), HasSubstr("is no pickle of protocol 2"));
    EXPECT_THAT(message_of(bytes({0x80, 9, '}', '.'})), HasSubstr("protocol 9"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', '.', '.'})), HasSubstr("bytes after the pickle's end"));
    EXPECT_THAT(message_of(bytes({0x80, 2, 'K', 1, '.'})), HasSubstr("is no dictionary"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', '}', '.'})), HasSubstr("a dictionary within the table"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', '(', 'K', 1, 'K', 2, 'u', '.'})),
                HasSubstr("no text with a number"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', '(', 'K', 1, 'u', '.'})), HasSubstr("no pairs"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'u', '.'})), HasSubstr("without a mark"));
    EXPECT_THAT(message_of(bytes({0x80, 2, 'q', 1, '.'})), HasSubstr("before there is one"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'h', 9, '.'})), HasSubstr("refers to"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'X', 1, 0, 0, 0, 0, 'K', 1, 's', '.'})),
                HasSubstr("zero byte"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'X', 1, 0, 0, 0, 0xff, 'K', 1, 's', '.'})),
                HasSubstr("no UTF-8"));
    // Sizes that a file of a few bytes cannot have.
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'X', 0xff, 0xff, 0xff, 0x7f, 'a'})),
                HasSubstr("a text of 2147483647 bytes"));
    EXPECT_THAT(message_of(bytes({0x80, 2, '}', 'X', 200, 0, 0, 0, 'a'})), HasSubstr("truncated"));
    EXPECT_THAT(message_of(bytes({0x80, 4, 0x8d, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})),
                HasSubstr("a text of"));
}

TEST(Pickle, EveryBeginningOfOneIsRefusedAndEveryDamagedByteReadOrRefused) {
    const std::string whole = pickled({{"1_3_64_224_7_2_1", 0.25}, {"1_64_64_56_1_1_1", 0.125}});
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_THROW((void)read_pickle(whole.substr(0, size), "t.pkl"), InputError) << size;
    }
    std::mt19937 random(5);
    for (int round = 0; round < 20000; ++round) {
        std::string damaged = whole;
        for (int i = 0; i < 1 + round % 4; ++i)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        try {
            EXPECT_LE(read_pickle(damaged, "t.pkl").size(), 2U);
        } catch (const InputError&) {
            continue;
        }
    }
}

TEST(Pickle, IsLoadedByPython) {
    if (std::system("python3 -c pass 2> /dev/null") != 0) GTEST_SKIP() << "python3 is not here";
    const hacscale::testing::TempFolder folder;
    PickledNumbers numbers;
    for (int i = 0; i < 2500; ++i) numbers.emplace_back("k" + std::to_string(i), i / 8.0);
    std::ofstream(folder / "t.pkl", std::ios::binary) << pickled(numbers);
    const std::string command = "python3 -c \"import pickle; t = pickle.load(open('" +
                                (folder / "t.pkl").string() +
                                "', 'rb')); assert t == {'k%d' % i: i / 8 for i in range(2500)}; "
                                "[pickle.dump(t, open('" +
                                (folder / "p").string() + "%d' % p, 'wb'), p) for p in (2, 3, 4, 5)]\"";
    ASSERT_EQ(std::system(command.c_str()), 0);
    for (const char* file : {"p2", "p3", "p4", "p5"}) {
        std::ifstream in(folder / file, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        EXPECT_EQ(read_pickle(text, file), numbers) << file;
    }
}

}  // namespace
}  // namespace hacscale::detail
