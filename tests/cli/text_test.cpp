#include <gtest/gtest.h>

#include <sstream>

#include "cli/printing/printing.hpp"
#include "cli/session.hpp"

namespace hacscale::cli {
namespace {

TEST(TextTable, AlignsColumnsByCharacters) {
    TextTable table({{"name", Align::left}, {"count"}});
    table.add({"größer", "1"});
    table.add({"a", "1,000"});
    std::ostringstream out;
    table.print(out);
    EXPECT_EQ(out.str(),
              "name    count\n"
              "größer      1\n"
              "a       1,000\n");
}

TEST(Progress, SaysRateAndTimeLeft) {
    EXPECT_EQ(progress_line("layers", 5, 10, 2.0, 10), "layers [=====>    ] 5/10  2.5/s  2 s left");
    EXPECT_EQ(progress_line("layers", 0, 10, 0.0, 4), "layers [>   ] 0/10");
    EXPECT_EQ(progress_line("layers", 10, 10, 1.0, 4), "layers [====] 10/10  10/s  0 s left");
    EXPECT_EQ(progress_line("rows", 1, 601, 1.0, 4), "rows [>   ] 1/601  1/s  10:00 min left");
}

TEST(Progress, DrawsNothingWhereThereIsNoTerminal) {
    std::ostringstream err;
    {
        ProgressBar progress(err, false);
        progress.set(5, 10, "layers");
    }
    EXPECT_EQ(err.str(), "");
}

TEST(Progress, TakesItsBarOffTheScreen) {
    std::ostringstream err;
    {
        ProgressBar progress(err, true);
        progress.set(5, 10, "layers");
    }
    EXPECT_NE(err.str().find("layers [="), std::string::npos);
    EXPECT_TRUE(err.str().ends_with("\r\033[K"));
}

}  // namespace
}  // namespace hacscale::cli
