#include "cli/command.hpp"

#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <regex>
#include <set>

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
    }
}

}  // namespace
}  // namespace hacscale::cli
