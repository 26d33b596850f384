#include "harness/compare/elsewhere.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/scratch_folder.hpp"
#include "base/statistics.hpp"
#include "base/text/numbers.hpp"
#include "base/text/read_file.hpp"
#include "kernels/host/processors.hpp"
#include "models/formats/formats.hpp"
#include "models/formats/onnx_export/onnx_export.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

namespace fs = std::filesystem;

constexpr int rounds_in_turns = 3;
constexpr std::string_view allowed_in_names =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@:";

std::string last_line(const std::string& text) {
    std::istringstream lines(text);
    std::string last;
    for (std::string line; std::getline(lines, line);) {
        if (line.find_first_not_of(" \t\r") != std::string::npos) {
            last = line;
        }
    }
    return last;
}

OtherTiming not_timed(std::string reason) {
    return {std::nullopt, std::move(reason)};
}

OtherTiming timing_of(double latency_us) {
    if (!std::isfinite(latency_us) || latency_us <= 0.0) {
        return not_timed(fmt::format("it answered with {} us", latency_us));
    }
    return {latency_us, ""};
}

std::string ending_of(int status) {
    return WIFSIGNALED(status) ? fmt::format("it was ended by signal {}", WTERMSIG(status))
                               : fmt::format("it ended with status {}", WEXITSTATUS(status));
}

}  // namespace

std::vector<OtherRuntime> parse_other_runtimes(const std::string& text) {
    const std::size_t equals = text.find('=');
    std::vector<OtherRuntime> runtimes;
    if (equals != std::string::npos) {
        runtimes.push_back({text.substr(0, equals), text.substr(equals + 1)});
    } else {
        std::istringstream names(text);
        for (std::string name; std::getline(names, name, ',');) {
            runtimes.push_back({name, ""});
        }
    }
    for (const OtherRuntime& runtime : runtimes) {
        const bool named =
            !runtime.name.empty() && runtime.name.find_first_not_of(allowed_in_names) == std::string::npos;
        if (!named || (equals != std::string::npos && runtime.command.empty())) {
            runtimes.clear();
            break;
        }
    }
    if (runtimes.empty()) {
        throw InputError(fmt::format(
            "'{}' names no runtime, expected devices as onnxruntime@cpu, or NAME=COMMAND: a command that is "
            "given an ONNX file and answers with microseconds, as mine=\"python3 time_it.py\"",
            text));
    }
    return runtimes;
}

OtherTiming timing_in(const std::string& answer) {
    const std::string line = last_line(answer);
    if (line.empty()) {
        return not_timed("it answered nothing");
    }
    if (const std::optional<double> number = finite_number(line)) {
        return timing_of(*number);
    }
    const records::Json json = records::Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("latency_us") && json["latency_us"].is_number()) {
        return timing_of(json["latency_us"].get<double>());
    }
    return not_timed(fmt::format(
        "its last line is '{}', expected microseconds or an object with \"latency_us\"", line.substr(0, 80)));
}

namespace {

// What a line of the shell came to.
struct ShellAnswer {
    std::string text;    // on standard output
    std::string reason;  // why it failed; empty when it ended well
    int status = 0;      // as wait() has it
};

ShellAnswer answer_of(const std::string& line) {
    const ScratchFolder scratch;
    const fs::path errors = scratch.path() / "errors";
    const host::OnMeasuringProcessors
        here;  // OpenMP may have pinned this thread, and a process inherits that
    std::FILE* const pipe =
        ::popen(fmt::format("{{ {}\n}} 2>{}", line, ShellCommand{{errors.string()}}.text()).c_str(), "r");
    if (pipe == nullptr) {
        throw WorkError("no shell can be started to run " + line);
    }
    ShellAnswer answer;
    char buffer[4096];
    for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
        answer.text.append(buffer, size);
    }
    answer.status = ::pclose(pipe);
    if (answer.status != 0) {
        const std::string said = last_line(read_if_there(errors));
        answer.reason = ending_of(answer.status) + (said.empty() ? "" : ": " + said.substr(0, 200));
    }
    return answer;
}

// Of this program, on the cores that this process has for itself.
ShellAnswer answer_of_program(const fs::path& program, std::vector<std::string> words) {
    words.insert(words.begin(), program.string());
    return answer_of("export HACSCALE_CORE_LOCKS=\n" + ShellCommand{words}.text());
}

}  // namespace

OtherTiming time_by_command(const OtherRuntime& runtime, const fs::path& onnx,
                            const OtherTimingSettings& settings) {
    const ShellAnswer answer = answer_of(fmt::format(
        "export HACSCALE_BATCH={} HACSCALE_THREADS={} HACSCALE_SECONDS={}\n{} {}", settings.batch,
        settings.threads, settings.seconds, runtime.command, ShellCommand{{onnx.string()}}.text()));
    return answer.reason.empty() ? timing_in(answer.text) : not_timed(answer.reason);
}

std::vector<OtherTiming> time_on_device(const fs::path& program, const std::string& device,
                                        const std::vector<fs::path>& onnx,
                                        const OtherTimingSettings& settings) {
    std::vector<std::string> words{"verify"};
    for (const fs::path& file : onnx) {
        words.push_back(file.string());
    }
    for (const auto& [option, value] :
         {std::pair{"--device", device}, std::pair{"--dtype", std::string(name_of(settings.type))},
          std::pair{"--batch", std::to_string(settings.batch)},
          std::pair{"--threads", std::to_string(settings.threads)},
          std::pair{"--seconds", fmt::format("{}", settings.seconds)}}) {
        words.insert(words.end(), {option, value});
    }
    words.insert(words.end(), {"--json", "--quiet"});
    const ShellAnswer answer = answer_of_program(program, words);
    const records::Json json = records::Json::parse(answer.text, nullptr, false);
    const bool whole = json.is_object() && json.contains("networks") && json["networks"].is_array() &&
                       json["networks"].size() == onnx.size();
    std::vector<OtherTiming> timings;
    for (std::size_t i = 0; i < onnx.size(); ++i) {
        if (!whole) {
            timings.push_back(not_timed(answer.reason.empty() ? "it answered nothing" : answer.reason));
            continue;
        }
        const records::Json& network = json["networks"][i];
        timings.push_back(network["measured_us"].is_number() ? timing_of(network["measured_us"].get<double>())
                                                             : not_timed(network.value("reason", "")));
    }
    return timings;
}

void require_devices(const fs::path& program, const std::vector<OtherRuntime>& runtimes) {
    for (const OtherRuntime& runtime : runtimes) {
        if (!runtime.is_device()) {
            continue;
        }
        const ShellAnswer answer = answer_of_program(program, {"devices", runtime.name, "--quiet"});
        if (answer.reason.empty()) {
            continue;
        }
        const std::size_t said = answer.reason.find("error: ");
        throw MissingError("--verify-on: " +
                           (said == std::string::npos ? answer.reason : answer.reason.substr(said + 7)));
    }
}

TimeElsewhere in_turns(TimeOneElsewhere time, Events& events) {
    return [time = std::move(time), &events](const OtherRuntime& runtime,
                                             const std::vector<fs::path>& files) {
        Progress progress(events);
        std::vector<OtherRound> rounds;
        std::vector<bool> failed(files.size(), false);
        for (int round = 0; round < rounds_in_turns && !failed.front(); ++round) {
            OtherRound& timings = rounds.emplace_back(files.size());
            for (std::size_t i = 0; i < files.size() && !failed.front() && !events.stop_requested(); ++i) {
                if (failed[i]) continue;
                events.progress(static_cast<double>(round * files.size() + i),
                                static_cast<double>(rounds_in_turns * files.size()),
                                "timing networks in " + runtime.name);
                timings[i] = time(runtime, files[i]);
                failed[i] = !timings[i].latency_us;
            }
        }
        return rounds;
    };
}

namespace {

// The files that the rows' networks are written to; the first row with a choice stands for all others with it.
struct NetworkFiles {
    std::vector<fs::path> files;
    std::vector<std::size_t> of_row;
};

NetworkFiles write_networks(const std::vector<records::StrategyRow*>& rows, const NetworkOfRow& network_of,
                            const fs::path& folder) {
    NetworkFiles written;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto until = rows.begin() + static_cast<std::ptrdiff_t>(i);
        const auto same = std::find_if(rows.begin(), until,
                                       [&](const auto* row) { return row->choice == rows[i]->choice; });
        if (same != until) {
            written.of_row.push_back(written.of_row[static_cast<std::size_t>(same - rows.begin())]);
            continue;
        }
        written.of_row.push_back(written.files.size());
        written.files.push_back(folder / fmt::format("{}.onnx", rows[i]->strategy));
        onnx::write_file(export_onnx(network_of(*rows[i]), default_onnx_opset), written.files.back());
    }
    return written;
}

// A network's latency over the rounds; the base's is the first file's.
records::OtherLatency latency_over(const std::vector<OtherRound>& rounds, std::size_t file) {
    records::OtherLatency latency;
    std::vector<double> latencies;
    std::vector<double> ratios;
    for (const OtherRound& round : rounds) {
        if (const std::string& base = round.front().reason; !base.empty()) {
            latency.reason = file == 0 ? base : "the base was not timed: " + base;
            return latency;
        }
        if (!round[file].reason.empty()) {
            latency.reason = round[file].reason;
            return latency;
        }
        if (round[file].latency_us && round.front().latency_us) {
            latencies.push_back(*round[file].latency_us);
            ratios.push_back(*round[file].latency_us / *round.front().latency_us);
        }
    }
    if (latencies.empty()) {
        latency.reason = "interrupted";
        return latency;
    }
    latency.latency_us = upper_median(std::move(latencies));
    latency.latency_ratio = upper_median(std::move(ratios));
    return latency;
}

}  // namespace

void add_elsewhere(records::ComparisonRecord& record, const std::vector<OtherRuntime>& runtimes,
                   const NetworkOfRow& network_of, const TimeElsewhere& time, Events& events) {
    const ScratchFolder scratch;
    std::vector<records::StrategyRow*> rows{&record.base};
    for (records::StrategyRow& row : record.strategies) {
        if (row.choice) {
            rows.push_back(&row);
        }
    }
    const NetworkFiles networks = write_networks(rows, network_of, scratch.path());
    for (const OtherRuntime& runtime : runtimes) {
        events.note("timing networks in " + runtime.name);
        const std::vector<OtherRound> rounds =
            events.stop_requested() ? std::vector<OtherRound>{} : time(runtime, networks.files);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            records::OtherLatency latency = latency_over(rounds, networks.of_row[i]);
            latency.runtime = runtime.name;
            rows[i]->elsewhere.push_back(std::move(latency));
        }
    }
}

}  // namespace hacscale::harness
