#include "cli/help.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <regex>
#include <set>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct NamedParser {
    std::string path;
    const CLI::App* parser;
};

void collect(const CLI::App& parser, const std::string& path, std::vector<NamedParser>& all) {
    for (const CLI::App* below : parser.get_subcommands({})) {
        const std::string name = path + (path.empty() ? "" : " ") + below->get_name();
        all.push_back({name, below});
        collect(*below, name, all);
    }
}

std::vector<NamedParser> all_parsers(const Program& program) {
    std::vector<NamedParser> all;
    collect(program.parser, "", all);
    return all;
}

std::set<std::string> options_of(const CLI::App& parser) {
    std::set<std::string> names;
    for (const CLI::Option* option : parser.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            names.insert("--" + name);
        }
    }
    return names;
}

std::set<std::string> options_named_in(const std::string& text) {
    static const std::regex option("(^|[^-\\w])(--[a-z][a-z-]*)");
    std::set<std::string> names;
    for (std::sregex_iterator match(text.begin(), text.end(), option), end; match != end; ++match) {
        names.insert((*match)[2]);
    }
    return names;
}

TEST(Help, SplitsADocumentIntoSections) {
    const auto sections =
        parse_help("# top\n\nOne\nline.\n\nMore `code`.\n\n```\nrun # not a heading\n```\n## next\n\nTwo.\n");
    ASSERT_EQ(sections.size(), 2U);
    EXPECT_EQ(sections[0].title, "top");
    EXPECT_EQ(sections[0].summary, "One line.");
    EXPECT_EQ(sections[0].text, "More code.\n\n    run # not a heading");
    EXPECT_EQ(sections[1].title, "next");
    EXPECT_EQ(sections[1].summary, "Two.");
    EXPECT_EQ(sections[1].text, "");
}

TEST(Help, ParagraphsAreInLinesOfATerminalsWidth) {
    const std::string long_line(3 * answer_columns, 'x');
    std::string words;
    for (int i = 0; i < 100; ++i) words += "word\n";
    const auto sections =
        parse_help("# top\n\nOne.\n\n" + words + "\n```\nhacscale " + long_line + "\n```\n");
    ASSERT_EQ(sections.size(), 1U);
    std::istringstream lines(sections[0].text);
    std::string line;
    for (int i = 0; i < 6; ++i) {
        ASSERT_TRUE(std::getline(lines, line));
        EXPECT_EQ(line.size(), 16 * 5 - 1U) << line;
    }
    std::getline(lines, line);
    EXPECT_EQ(line, "word word word word");
    std::getline(lines, line);
    EXPECT_EQ(line, "");
    std::getline(lines, line);
    EXPECT_EQ(line, "    hacscale " + long_line) << "examples can be copied";
}

TEST(Help, EveryCommandHasASectionWithExamples) {
    const auto program = make_program();
    for (const NamedParser& command : all_parsers(*program)) {
        const auto section = help_section(command.path);
        ASSERT_TRUE(section.has_value()) << command.path;
        EXPECT_THAT(section->summary, Not(::testing::IsEmpty())) << command.path;
        if (command.parser->get_subcommands({}).empty()) {
            EXPECT_THAT(section->text, HasSubstr("    ")) << command.path << " has no example";
            EXPECT_THAT(section->text, HasSubstr("hacscale " + command.path)) << command.path;
        }
    }
}

TEST(Help, DocumentAndOptionsAgree) {
    const auto program = make_program();
    for (const NamedParser& command : all_parsers(*program)) {
        const auto section = help_section(command.path);
        ASSERT_TRUE(section.has_value()) << command.path;
        std::set<std::string> declared = options_of(*command.parser);
        std::set<std::string> named = options_named_in(section->summary + "\n" + section->text);
        for (const CLI::App* below : command.parser->get_subcommands({})) {
            declared.merge(options_of(*below));  // an example may show the command below
        }
        for (const std::string& option : named) {
            EXPECT_TRUE(declared.contains(option)) << command.path << " documents " << option;
        }
        for (const std::string& option : options_of(*command.parser)) {
            if (option != "--help" && option != "--json" && option != "--quiet") {
                EXPECT_TRUE(named.contains(option)) << command.path << " does not document " << option;
            }
        }
    }
}

TEST(Help, IsPrintedForEveryCommand) {
    const Answer top = call({"--help"});
    EXPECT_EQ(top.status, 0);
    for (const Command& command : commands()) {
        EXPECT_THAT(top.out, HasSubstr(std::string(command.name)));
    }
    const auto program = make_program();
    for (const NamedParser& command : all_parsers(*program)) {
        std::istringstream words(command.path);
        std::vector<std::string> arguments{std::istream_iterator<std::string>(words), {}};
        arguments.emplace_back("--help");
        const Answer answer = call(arguments);
        EXPECT_EQ(answer.status, 0) << command.path;
        EXPECT_THAT(answer.out, HasSubstr("--json")) << command.path;
        EXPECT_THAT(answer.out, HasSubstr("Example")) << command.path;
        EXPECT_EQ(answer.err, "");
        std::istringstream lines(answer.out);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_TRUE(width_of(line) <= answer_columns || line.starts_with("    hacscale "))
                << command.path << ": " << line;
        }
    }
}

}  // namespace
}  // namespace hacscale::cli
