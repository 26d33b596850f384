#include "report/text/escape.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hacscale::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Escape, Html) {
    EXPECT_EQ(html_escape("<b a='1' b=\"2\">&"), "&lt;b a=&#39;1&#39; b=&quot;2&quot;&gt;&amp;");
    EXPECT_EQ(html_escape(std::string("a\0\x1b", 3)), "a\ufffd\ufffd");
    EXPECT_EQ(html_escape("größe – ok\n"), "größe – ok\n");
}

TEST(Escape, ScriptsStayJsonAndCannotCloseTheirElement) {
    const std::string text = "</script><!-- & \u2028 \u2029 <script>";
    const std::string escaped = script_escape(nlohmann::json(text).dump());
    EXPECT_THAT(escaped, Not(HasSubstr("<")));
    EXPECT_THAT(escaped, Not(HasSubstr("\u2028")));
    EXPECT_THAT(escaped, Not(HasSubstr("\u2029")));
    EXPECT_EQ(nlohmann::json::parse(escaped).get<std::string>(), text);
}

TEST(Escape, Markdown) {
    EXPECT_EQ(markdown_escape("a|b*c_d`e`[f](g)<h>&\n#"), "a\\|b\\*c\\_d\\`e\\`\\[f\\](g)&lt;h&gt;&amp; #");
}

TEST(Escape, Csv) {
    EXPECT_EQ(csv_text("plain"), "plain");
    EXPECT_EQ(csv_text("a,b"), "\"a,b\"");
    EXPECT_EQ(csv_text("say \"x\""), "\"say \"\"x\"\"\"");
    EXPECT_EQ(csv_text("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(csv_text("=1+1"), "'=1+1");
    EXPECT_EQ(csv_text("@a,b"), "\"'@a,b\"");
}

}  // namespace
}  // namespace hacscale::report
