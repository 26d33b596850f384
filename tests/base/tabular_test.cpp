#include "base/tabular/tabular.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "base/text/numbers.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<std::string> known{"name", "latency_us", "count", "noisy"};

TabularFile csv(const std::string& text) {
    return parse_csv(text, "t.csv", known);
}
TabularFile json(const std::string& text) {
    return parse_json_rows(text, "t.json", "rows", known);
}

template <typename Work>
std::string message_of(const Work& work) {
    try {
        work();
    } catch (const InputError& error) {
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Csv, ReadsQuotedFieldsBothLineEndsAndAByteOrderMark) {
    const TabularFile file =
        csv("\xef\xbb\xbfname,latency_us\r\n\"a, \"\"b\"\"\nc\",1.5\r\n\nplain,+2e3\n,3");
    EXPECT_THAT(file.columns, ElementsAre("name", "latency_us"));
    ASSERT_EQ(file.rows.size(), 3U);
    EXPECT_EQ(file.rows[0].text("name"), "a, \"b\"\nc");
    EXPECT_EQ(file.rows[0].number("latency_us"), 1.5);
    EXPECT_EQ(file.rows[1].number("latency_us"), 2000.0);
    EXPECT_FALSE(file.rows[2].has("name"));
    EXPECT_EQ(file.rows[2].text_or("name", "none"), "none");
    EXPECT_EQ(file.rows[2].place(), "t.csv:6") << "a line break within a field counts";
}

TEST(Csv, SaysWhichLineAndColumnIsWrong) {
    const TabularFile file = csv("name,latency_us,count,noisy\na,fast,1.5,maybe\n");
    const TabularRow& row = file.rows.front();
    EXPECT_EQ(message_of([&] { (void)row.number("latency_us"); }),
              "t.csv:2: column 2 (latency_us): found 'fast', expected a finite number");
    EXPECT_THAT(message_of([&] { (void)row.integer("count", 0, 9); }),
                HasSubstr("a whole number from 0 to 9"));
    EXPECT_THAT(message_of([&] { (void)row.flag_or("noisy", false); }), HasSubstr("true or false"));
    std::string accents;
    for (int i = 0; i < 50; ++i) accents += "\xc3\xa9";
    const TabularFile longer = csv("name,latency_us\na," + accents + "\n");
    EXPECT_THAT(message_of([&] { (void)longer.rows.front().number("latency_us"); }),
                HasSubstr("found '" + accents.substr(0, 80) + "...'"));
    for (const char* number : {"nan", "inf", "-inf", "0x10", "1e999", "1 ", " 1", "1,5", "", "1e", "++1"}) {
        EXPECT_FALSE(finite_number(number)) << number;
    }
}

TEST(Csv, RefusesWhatIsNoCsv) {
    EXPECT_THAT(message_of([] { csv(""); }), HasSubstr("is empty"));
    EXPECT_THAT(message_of([] { csv(std::string("name\n\0", 6)); }), HasSubstr("NUL"));
    EXPECT_THAT(message_of([] { csv("name\n\xff\n"); }), HasSubstr("no UTF-8"));
    EXPECT_THAT(message_of([] { csv("nmae\n"); }), HasSubstr("t.csv:1: column 1: 'nmae' is no column"));
    EXPECT_THAT(message_of([] { csv("nmae\n"); }), HasSubstr("did you mean 'name'?"));
    EXPECT_THAT(message_of([] { csv("name,name\n"); }), HasSubstr("column 2: 'name' is there twice"));
    EXPECT_THAT(message_of([] { csv("name,count\na\n"); }), HasSubstr("t.csv:2: has 1 fields, expected 2"));
    EXPECT_THAT(message_of([] { csv("name\n\"a\nb"); }),
                HasSubstr("t.csv:2: a quoted field that begins here"));
    EXPECT_THAT(message_of([] { csv("name\n\"a\"b\n"); }), HasSubstr("followed by more text"));
    EXPECT_THAT(message_of([] { csv("name\na\"b\n"); }), HasSubstr("a quote within a field"));
}

TEST(JsonRows, AreAnArrayOrAnObjectWhoseOtherValuesHoldForAll) {
    EXPECT_EQ(json(R"([{"name":"a","latency_us":1.25}])").rows.front().number("latency_us"), 1.25);
    const TabularFile file =
        json(R"({"count":3,"name":"all","rows":[{"latency_us":1},{"name":"b","count":null}]})");
    ASSERT_EQ(file.rows.size(), 2U);
    EXPECT_EQ(file.rows[0].text("name"), "all");
    EXPECT_EQ(file.rows[1].text("name"), "b");
    EXPECT_EQ(file.rows[1].integer("count", 0, 9), 3) << "null is no value of its own";
}

TEST(JsonRows, SaysWhichPlaceIsWrong) {
    const TabularFile file = json(R"({"count":"3","rows":[{"latency_us":"12"}]})");
    EXPECT_EQ(message_of([&] { (void)file.rows[0].number("latency_us"); }),
              "t.json: rows[0].latency_us: found the text '12', expected a finite number");
    EXPECT_THAT(message_of([&] { (void)file.rows[0].integer("count", 0, 9); }),
                HasSubstr("t.json: count: found"));
    EXPECT_EQ(message_of([&] { (void)file.rows[0].text("name"); }), "t.json: rows[0]: has no name");
}

TEST(JsonRows, RefusesWhatIsNoList) {
    EXPECT_THAT(message_of([] { json("[{\"name\": \n"); }), HasSubstr("line 2"));
    EXPECT_THAT(message_of([] { json("[1]"); }), HasSubstr("[0]: expected an object, found number"));
    EXPECT_THAT(message_of([] { json("{\"name\":1}"); }), HasSubstr("under 'rows'"));
    EXPECT_THAT(message_of([] { json("3"); }), HasSubstr("an array of objects"));
    EXPECT_THAT(message_of([] { json(R"([{"name":1,"name":2}])"); }), HasSubstr("the key 'name' is twice"));
    EXPECT_THAT(message_of([] { json(R"([{"nam":1}])"); }), HasSubstr("did you mean 'name'?"));
    EXPECT_THAT(message_of([] { json(R"([{"name":"a\u0000b"}])"); }), HasSubstr("a zero byte"));
    EXPECT_THAT(message_of([] { json(R"([{"na\u0000me":1}])"); }), HasSubstr("a zero byte"));
    EXPECT_THAT(message_of([] { json(R"([{"latency_us":1e999}])"); }), HasSubstr("is no JSON"));
    EXPECT_THAT(message_of([] { json(R"([{"latency_us":NaN}])"); }), HasSubstr("is no JSON"));
    EXPECT_THAT(message_of([] { json("[{\"name\":" + std::string(1000000, '[')); }),
                HasSubstr("is nested deeper"));
}

// Whatever a file holds, reading it ends with rows or with a sentence.
TEST(Tabular, EveryBeginningOfAFileIsReadOrRefused) {
    const std::string rows = "name,latency_us\n\"a \"\"quoted\"\" one\",1.5\nb,2\n";
    const std::string objects = R"({"count":1,"rows":[{"name":"a\"\u00e9","latency_us":1.5},{"name":"b"}]})";
    for (std::size_t size = 0; size <= objects.size(); ++size) {
        try {
            (void)json(objects.substr(0, size));
            (void)csv(rows.substr(0, size));
        } catch (const InputError&) {
            continue;
        }
    }
}

}  // namespace
}  // namespace hacscale
