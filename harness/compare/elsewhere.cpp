#include "harness/compare/elsewhere.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "base/error.hpp"
#include "base/scratch_folder.hpp"
#include "base/statistics.hpp"
#include "base/text/numbers.hpp"
#include "models/formats/formats.hpp"
#include "models/formats/onnx_export/onnx_export.hpp"
#include "records/json.hpp"

namespace hacscale::harness {

namespace {

namespace fs = std::filesystem;

constexpr int rounds = 3;
constexpr std::string_view allowed_in_names =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-@";

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

std::string text_in(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
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

OtherRuntime parse_other_runtime(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == std::string::npos || name.empty() || equals + 1 == text.size() ||
        name.find_first_not_of(allowed_in_names) != std::string::npos) {
        throw InputError(fmt::format(
            "'{}' names no runtime, expected NAME=COMMAND: a command that is given an ONNX file and answers "
            "with microseconds, as onnxruntime=\"python3 time_it.py\"",
            text));
    }
    return {name, text.substr(equals + 1)};
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

OtherTiming time_by_command(const OtherRuntime& runtime, const fs::path& onnx,
                            const OtherTimingSettings& settings) {
    const ScratchFolder scratch;
    const fs::path errors = scratch.path() / "errors";
    const std::string line =
        fmt::format("export HACSCALE_BATCH={} HACSCALE_THREADS={} HACSCALE_SECONDS={}\n{{ {} {}\n}} 2>{}",
                    settings.batch, settings.threads, settings.seconds, runtime.command,
                    ShellCommand{{onnx.string()}}.text(), ShellCommand{{errors.string()}}.text());
    std::FILE* const pipe = ::popen(line.c_str(), "r");
    if (pipe == nullptr) {
        throw WorkError("no shell can be started to run " + runtime.command);
    }
    std::string answer;
    char buffer[4096];
    for (std::size_t size = 0; (size = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
        answer.append(buffer, size);
    }
    const int status = ::pclose(pipe);
    if (status != 0) {
        const std::string said = last_line(text_in(errors));
        return not_timed(ending_of(status) + (said.empty() ? "" : ": " + said.substr(0, 200)));
    }
    return timing_in(answer);
}

void add_elsewhere(records::ComparisonRecord& record, const std::vector<OtherRuntime>& runtimes,
                   const NetworkOfRow& network_of, const TimeElsewhere& time, Events& events) {
    const ScratchFolder scratch;
    std::vector<records::StrategyRow*> rows{&record.base};
    for (records::StrategyRow& row : record.strategies) {
        if (row.choice) rows.push_back(&row);
    }
    // The first row with each choice stands for all.
    std::vector<std::size_t> network_of_row;
    std::vector<fs::path> files;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto same = std::find_if(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(i),
                                       [&](const auto* row) { return row->choice == rows[i]->choice; });
        if (same != rows.begin() + static_cast<std::ptrdiff_t>(i)) {
            network_of_row.push_back(network_of_row[static_cast<std::size_t>(same - rows.begin())]);
            continue;
        }
        network_of_row.push_back(files.size());
        files.push_back(scratch.path() / fmt::format("{}.onnx", rows[i]->strategy));
        onnx::write_file(export_onnx(network_of(*rows[i]), default_onnx_opset), files.back());
    }
    Progress progress(events);
    const double total = static_cast<double>(rounds) * static_cast<double>(files.size() * runtimes.size());
    double done = 0.0;
    for (const OtherRuntime& runtime : runtimes) {
        std::vector<std::vector<double>> latencies(files.size());
        std::vector<std::vector<double>> ratios(files.size());
        std::vector<std::string> reasons(files.size());
        for (int round = 0; round < rounds && reasons.front().empty(); ++round) {
            double base_us = 0.0;
            for (std::size_t i = 0; i < files.size() && reasons.front().empty(); ++i) {
                if (!reasons[i].empty() || events.stop_requested()) continue;
                events.progress(done++, total, "timing networks in " + runtime.name);
                const OtherTiming timing = time(runtime, files[i]);
                reasons[i] = timing.reason;
                if (!timing.latency_us) continue;
                if (i == 0) base_us = *timing.latency_us;
                latencies[i].push_back(*timing.latency_us);
                ratios[i].push_back(*timing.latency_us / base_us);
            }
        }
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const std::size_t network = network_of_row[i];
            records::OtherLatency latency;
            latency.runtime = runtime.name;
            if (!reasons.front().empty()) {
                latency.reason = network == 0 ? reasons[0] : "the base was not timed: " + reasons[0];
            } else if (!reasons[network].empty()) {
                latency.reason = reasons[network];
            } else if (latencies[network].empty()) {
                latency.reason = "interrupted";
            } else {
                latency.latency_us = upper_median(latencies[network]);
                latency.latency_ratio = upper_median(ratios[network]);
            }
            rows[i]->elsewhere.push_back(std::move(latency));
        }
    }
}

}  // namespace hacscale::harness
