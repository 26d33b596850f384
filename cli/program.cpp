#include "cli/program.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/ostream_sink.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ios>
#include <iostream>
#include <new>
#include <string>

#include "base/text/utf8.hpp"
#include "base/text/wording.hpp"
#include "base/version.hpp"
#include "cli/command.hpp"
#include "cli/commands.hpp"
#include "cli/help.hpp"
#include "cli/session.hpp"

namespace hacscale::cli {

namespace {

int number_of(ExitStatus status) {
    return static_cast<int>(status);
}

// The options that every command has, named in its own help.
void add_common_options(CLI::App& parser, Program& program) {
    parser.add_flag("--json", program.json, "Answer in JSON on standard output")->group("Common options");
    parser.add_flag("-q,--quiet", program.quiet, "No progress and no messages but warnings and errors")
        ->group("Common options");
    for (CLI::App* below : parser.get_subcommands({})) {
        add_common_options(*below, program);
    }
}

// The innermost command that was given.
CLI::App& innermost(CLI::App& parser) {
    const std::vector<CLI::App*> given = parser.get_subcommands();
    return given.empty() ? parser : innermost(*given.front());
}

std::string unknown_word_message(CLI::App& parser, const std::string& word) {
    std::vector<std::string> known;
    const bool option = word.starts_with("-");
    if (option) {
        for (const CLI::Option* one : parser.get_options()) {
            for (const std::string& name : one->get_lnames()) {
                known.push_back("--" + name);
            }
        }
    } else {
        for (const CLI::App* one : parser.get_subcommands({})) {
            known.push_back(one->get_name());
        }
    }
    const std::string of = parser.get_parent() == nullptr ? "" : " of \"" + parser.get_name() + "\"";
    const std::string what = option ? "option" : known.empty() ? "argument" : "command";
    return "\"" + word + "\" is no known " + what + of +
           detail::did_you_mean(word.substr(0, word.find('=')), known);
}

// CLI11 reports a missing argument before a mistyped option; the mistyped one is told first, for it is the
// cause.
std::string usage_message(CLI::App& parser, const CLI::ParseError& error) {
    CLI::App& given = innermost(parser);
    const std::vector<std::string> unknown = parser.remaining(true);
    std::string message = unknown.empty() ? error.what() : unknown_word_message(given, unknown.front());
    std::string path;
    for (const CLI::App* one = &given; one->get_parent() != nullptr; one = one->get_parent()) {
        path.insert(0, one->get_name() + " ");
    }
    return message + (message.ends_with("?") || message.ends_with(".") ? " " : ". ") + "See \"hacscale " +
           path + "--help\"";
}

// A message without control characters that came from a file.
class PrintableMessage final : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& written) override {
        const std::string text = printable({message.payload.data(), message.payload.size()});
        written.append(text.data(), text.data() + text.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<PrintableMessage>();
    }
};

std::unique_ptr<spdlog::logger> make_log(std::ostream& err, bool terminal) {
    auto log = std::make_unique<spdlog::logger>("hacscale",
                                                std::make_shared<spdlog::sinks::ostream_sink_mt>(err, true));
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    // On a terminal a message first takes the progress bar off its line.
    formatter->add_flag<PrintableMessage>('*').set_pattern(terminal ? "\r\033[K%l: %*" : "%l: %*");
    log->set_formatter(std::move(formatter));
    return log;
}

std::string command_line(int argc, const char* const* argv) {
    std::string line = "hacscale";
    for (int i = 1; i < argc; ++i) {
        line.append(" ").append(argv[i]);
    }
    return line;
}

ExitStatus run_command(const Program& program, Session& session) {
    for (const auto& [parser, run] : program.commands) {
        if (parser->parsed()) {
            return run(session);
        }
    }
    throw InputError("a command is needed; \"hacscale --help\" lists them");
}

// A reader that has seen enough (`| head`) is no failure; a full disk is.
int stream_failure_status(spdlog::logger& log, int error_number) {
    if (error_number == EPIPE) {
        return number_of(ExitStatus::done);
    }
    // Standard error flushes standard output first, which would fail again in the middle of the message.
    std::cerr.tie(nullptr);
    log.error("standard output could not be written: {}", std::strerror(error_number));
    return number_of(ExitStatus::failed);
}

// Runs `work`; what it throws becomes one sentence and a status.
template <typename Work>
int guarded(spdlog::logger& log, const Work& work) {
    try {
        return work();
    } catch (const DeviceLost& lost) {
        log.error("{}; the device is lost to this process, so run the command again", lost.what());
        return number_of(lost.status());
    } catch (const Error& error) {
        log.error("{}", error.what());
        return number_of(error.status());
    } catch (const std::ios_base::failure&) {
        return stream_failure_status(log, errno);
    } catch (const std::bad_alloc&) {
        log.error(
            "this needs more memory than there is; ask for less at once (a smaller batch, fewer widths)");
        return number_of(ExitStatus::failed);
    } catch (const std::filesystem::filesystem_error& error) {
        log.error("{}{}", error.path1().empty() ? "the working folder" : error.path1().string(),
                  ": cannot be used (" + error.code().message() + ")");
        return number_of(ExitStatus::failed);
    } catch (const std::exception& error) {
        log.error("this is a fault of hacscale; please report it with the command and this text: {}",
                  error.what());
        return number_of(ExitStatus::failed);
    }
}

// While it lives, a failed write to the stream is an exception, so that long answers stop at once.
class ThrowingStream {
public:
    explicit ThrowingStream(std::ostream& stream) : stream_(stream), before_(stream.exceptions()) {
        stream.exceptions(std::ios::badbit);
    }
    ~ThrowingStream() {
        stream_.clear();
        stream_.exceptions(before_);
    }
    ThrowingStream(const ThrowingStream&) = delete;
    ThrowingStream& operator=(const ThrowingStream&) = delete;

private:
    std::ostream& stream_;
    std::ios::iostate before_;
};

}  // namespace

std::unique_ptr<Program> make_program() {
    auto program = std::make_unique<Program>();
    CLI::App& parser = program->parser;
    parser.name("hacscale");
    parser.formatter(narrow_formatter());
    if (const auto section = help_section("hacscale")) {
        parser.description(section->summary);
        parser.footer("\n" + section->text);
    }
    parser.set_version_flag("--version", "hacscale " + std::string(version()));
    for (const Command& command : commands()) {
        CLI::App& command_parser = add_parser(parser, command.name);
        program->commands.emplace_back(&command_parser, command.declare(command_parser));
    }
    add_common_options(parser, *program);
    return program;
}

int run(int argc, const char* const* argv, std::ostream& out, std::ostream& err, bool err_is_terminal,
        const Restart* restart) {
    const ThrowingStream throwing(out);
    const std::unique_ptr<spdlog::logger> log = make_log(err, err_is_terminal);
    return guarded(*log, [&] {
        const std::unique_ptr<Program> program = make_program();
        try {
            program->parser.parse(argc, argv);
        } catch (const CLI::Success& answered) {
            const int status = program->parser.exit(answered, out, err);
            out.flush();
            return status;
        } catch (const CLI::ParseError& error) {
            throw InputError(usage_message(program->parser, error));
        }
        log->set_level(program->quiet ? spdlog::level::warn : spdlog::level::info);
        Session session(out, err, *log, program->json, err_is_terminal && !program->quiet,
                        command_line(argc, argv), restart);
        const ExitStatus status = run_command(*program, session);
        out.flush();
        return interrupt_signal() != 0 ? interrupt_exit_status() : number_of(status);
    });
}

}  // namespace hacscale::cli
