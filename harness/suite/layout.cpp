#include "harness/suite/layout.hpp"

#include <fmt/format.h>
#include <algorithm>

#include "base/error.hpp"
#include "harness/suite/state_run.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "records/record_file.hpp"
#include "report/text/escape.hpp"

namespace hacscale::harness {

namespace {

bool several_devices(const Suite& suite) {
    return suite.devices.size() > 1 || suite.devices.front() == all_devices;
}

}  // namespace

std::filesystem::path device_folder(const Suite& suite, const std::filesystem::path& out,
                                    const std::string& device) {
    if (!several_devices(suite)) {
        return out;
    }
    std::string name = device;
    std::replace_if(
        name.begin(), name.end(), [](char c) { return c == ':' || c == '@'; }, '-');
    return out / name;
}

std::filesystem::path state_folder(const Suite& suite, const std::filesystem::path& of_device,
                                   const MeasuredState& state) {
    return states_of(suite).size() == 1 ? of_device : of_device / folder_name(state);
}

bool has_several_folders(const Suite& suite) {
    return several_devices(suite) || states_of(suite).size() > 1;
}

std::vector<std::string> device_ids(const Suite& suite) {
    if (suite.devices.front() != all_devices) {
        return suite.devices;
    }
    std::vector<std::string> ids;
    const BackendRegistry registry = BackendRegistry::load(suite.threads);
    for (const auto& backend : registry.backends()) {
        for (const BackendDevice& device : backend->devices()) {
            // A runtime that happens to be installed is no further device; whoever wants it names it.
            if (device.id.find('@') == std::string::npos) {
                ids.push_back(device.id);
            }
        }
    }
    if (ids.empty()) {
        throw MissingError(
            "devices: all: there is no device that can be used here; `hacscale devices` says why");
    }
    return ids;
}

namespace {

using report::html_escape;

constexpr std::string_view page = R"html(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{0}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 1rem/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ border-bottom: 1px solid; padding: 0.3rem 0.8rem; text-align: right; }}
th:nth-child(-n+3), td:nth-child(-n+3) {{ text-align: left; }}
</style>
<h1>{0}</h1>
<p>Each device and state has a report of its own. Ratios are the HACScale choice's over the base's.{2}</p>
<table>
<thead><tr><th>Device and state</th><th>Report</th><th>Network</th><th>Budget</th><th>Latency ratio</th>
<th>Parameter ratio</th><th>Utilization ratio</th></tr></thead>
<tbody>
{1}</tbody>
</table>
</html>
)html";

std::string ratio(const std::optional<double>& value) {
    return value ? fmt::format("{:.3f}", *value) : "-";
}

std::string row(const std::string& name, const std::string& link, const records::ComparisonRecord& record) {
    const auto& rows = record.strategies;
    const auto choice = std::find_if(
        rows.begin(), rows.end(), [](const records::StrategyRow& one) { return one.strategy == "hacscale"; });
    std::optional<double> latency;
    std::optional<double> params;
    std::optional<double> utilization;
    if (choice != rows.end()) {
        latency = choice->latency_ratio;
        utilization = choice->utilization_ratio;
        if (choice->params && record.base.params) {
            params = static_cast<double>(*choice->params) / static_cast<double>(*record.base.params);
        }
    }
    return fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n", name,
        link, html_escape(record.model), record.budget, ratio(latency), ratio(params), ratio(utilization));
}

}  // namespace

std::filesystem::path write_index_page(const std::filesystem::path& folder, const std::string& suite,
                                       const std::vector<FinishedRun>& runs, bool side_by_side) {
    std::string rows;
    for (const FinishedRun& run : runs) {
        const std::string name = html_escape(run.device + ", " + name_of(run.state));
        const std::filesystem::path report = run.folder.lexically_relative(folder) / "report.html";
        const std::string link =
            fmt::format("<a href=\"{}\">report</a>", html_escape(report.generic_string()));
        for (const records::ComparisonRecord& record : run.result.comparisons) {
            rows += row(name, link, record);
        }
        if (run.result.comparisons.empty()) {
            rows += fmt::format(
                "<tr><td>{}</td><td>{}</td><td colspan=\"5\">nothing was compared</td></tr>\n", name, link);
        }
    }
    std::filesystem::path file = folder / "index.html";
    const std::string_view link =
        side_by_side ? " <a href=\"side-by-side.html\">All of them side by side</a>." : "";
    records::write_record(file, fmt::format(page, html_escape(suite), rows, link));
    return file;
}

}  // namespace hacscale::harness
