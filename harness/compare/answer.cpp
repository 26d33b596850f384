#include "harness/compare/answer.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/text/lines.hpp"
#include "base/text/wording.hpp"
#include "profiler/peak.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale::harness {

namespace {

constexpr double largest_noisy_share = 0.1;  // of the latency, for predictions to be taken as they are
using Records = std::vector<const records::ComparisonRecord*>;
using Lines = std::vector<std::string>;

void append(Lines& lines, const std::string& text, std::size_t indent) {
    const Lines more = wrapped(text, indent);
    lines.insert(lines.end(), more.begin(), more.end());
}

std::string state_of(const records::ComparisonRecord& record) {
    return fmt::format("{}, batch {}, {}", record.device, record.batch, hacscale::name_of(record.type));
}

bool same_state(const Records& records) {
    return std::all_of(records.begin(), records.end(), [&](const records::ComparisonRecord* record) {
        return state_of(*record) == state_of(*records.front()) && record->cache == records.front()->cache;
    });
}

std::string title_of(const records::ComparisonRecord& record, bool with_state) {
    const std::optional<double> base_us =
        record.base.measured_us ? record.base.measured_us : record.base.predicted_us;
    const std::string base = base_us ? latency_text(*base_us) : "its latency";
    return fmt::format(
        "{}{}, budget {}", record.model,
        with_state ? fmt::format(" ({}, {})", state_of(record), hacscale::name_of(record.cache)) : "",
        record.budget_given.empty()
            ? fmt::format("{} x {}", record.budget, base)
            : fmt::format("{} ({:.3g} x {})", record.budget_given, record.budget, base));
}

std::size_t rows_with(const records::ComparisonRecord& record, records::StrategyStatus status) {
    return static_cast<std::size_t>(
        std::count_if(record.strategies.begin(), record.strategies.end(),
                      [&](const records::StrategyRow& row) { return row.status == status; }));
}

// ---- One comparison ----

// Of HACScale where it was asked, else of the first: why it found nothing, or how close it came.
std::string nothing_within(const records::ComparisonRecord& record) {
    const auto own = std::find_if(record.strategies.begin(), record.strategies.end(),
                                  [](const records::StrategyRow& row) { return row.strategy == "hacscale"; });
    const records::StrategyRow* row = own != record.strategies.end() ? &*own
                                      : record.strategies.empty()    ? nullptr
                                                                     : &record.strategies.front();
    if (row == nullptr) {
        return "no network within the budget was found";
    }
    if (row->latency_ratio) {
        return fmt::format(
            "no network within the budget was found; the closest has {:.3g} of the base's latency",
            *row->latency_ratio);
    }
    return "no network within the budget was found" + (row->reason.empty() ? "" : ": " + row->reason);
}

// Why no network is advised, in one sentence.
std::string nothing_gained(const records::ComparisonRecord& record) {
    const std::size_t noisy = rows_with(record, records::StrategyStatus::noisy);
    if (record.base.status == records::StrategyStatus::noisy || noisy > 0) {
        return fmt::format(
            "nothing can be said: {} of {} timings are too noisy; run it again when nothing else runs", noisy,
            record.strategies.size());
    }
    if (record.base.status == records::StrategyStatus::failed) {
        return "nothing can be said: the base could not be timed: " + record.base.reason;
    }
    if (shrinks(record)) {
        return nothing_within(record);
    }
    const std::string busy = record.base.utilization ? fmt::format(" (the base reaches {:.0f} % of the peak)",
                                                                   100.0 * *record.base.utilization)
                                                     : "";
    return fmt::format("keep the base: nothing is to be gained within this latency{}", busy);
}

std::string others_text(const records::ComparisonRecord& record,
                        const std::vector<const records::StrategyRow*>& best) {
    std::vector<std::string> parts;
    if (best.size() > 1) {
        const records::StrategyRow& second = *best[1];
        parts.push_back(fmt::format("second: {} ({})", second.strategy, gain_text(record, second)));
    }
    const std::size_t keepers = keepers_of_base(record).size();
    // Where all keep it, the sentence has said so.
    if (keepers > 0 && keepers < record.strategies.size()) {
        parts.push_back(fmt::format("{} of {} keep the base", keepers, record.strategies.size()));
    }
    for (const auto& [status, words] : {std::pair{records::StrategyStatus::noisy, "too noisy to judge"},
                                        {records::StrategyStatus::over_budget, "over the budget"},
                                        {records::StrategyStatus::unverified, "predicted only"},
                                        {records::StrategyStatus::failed, "not measured"},
                                        {records::StrategyStatus::infeasible, "without a choice"}}) {
        // Where nothing was measured, the figures say so themselves.
        const bool said = status == records::StrategyStatus::unverified && !record.base.measured_us;
        if (const std::size_t rows = rows_with(record, status); rows > 0 && !said) {
            parts.push_back(fmt::format("{} {}", rows, words));
        }
    }
    return fmt::format("{}", fmt::join(parts, "; "));
}

std::string prediction_text(const records::StrategyRow& row) {
    const std::optional<double> error_pct = prediction_error_pct(row);
    if (!error_pct || std::abs(*error_pct) <= records::prediction_tolerance_pct) {
        return "";
    }
    return fmt::format("; but predicted {}, measured {}", latency_text(*row.predicted_us),
                       latency_text(*row.measured_us));
}

// How much is said of one comparison, where not all of it has room.
enum class Detail {
    all,  // what to change, what it brings, which strategies come second and keep the base
    without_others,
    in_short,  // what to change, and what it brings without the gain
};

void add_comparison(Lines& lines, const records::ComparisonRecord& record, bool with_state, Detail detail) {
    const std::vector<const records::StrategyRow*> best = ranked(record);
    const std::string title = title_of(record, with_state);
    if (best.empty()) {
        append(lines, title + ": " + nothing_gained(record), 2);
    } else {
        const records::StrategyRow& first = *best.front();
        append(lines,
               fmt::format("{}: {}{}", title, changes_text(record, *first.choice),
                           first.strategy == "hacscale" ? "" : " (by " + first.strategy + ")"),
               2);
        const std::string brings =
            detail == Detail::in_short ? costs_text(record, first) : brings_text(record, first);
        append(lines, "  " + brings + prediction_text(first), 2);
        if (const std::string groups = group_changes_text(record, first); !groups.empty()) {
            append(lines, "  " + groups, 2);
        }
        if (const std::string elsewhere = elsewhere_text(record, first); !elsewhere.empty()) {
            append(lines, "  " + elsewhere, 2);
        }
    }
    if (detail != Detail::all) {
        return;
    }
    if (const std::string others = others_text(record, best);
        record.strategies.size() > 1 && !others.empty()) {
        append(lines, "  " + others, 2);
    }
}

std::string one_line(const records::ComparisonRecord& record, bool with_state) {
    const std::vector<const records::StrategyRow*> best = ranked(record);
    return title_of(record, with_state) + ": " +
           (best.empty() ? nothing_gained(record) : brings_text(record, *best.front()));
}

// ---- All of them ----

std::string header_of(const Records& records) {
    const records::ComparisonRecord& first = *records.front();
    const bool capacity =
        std::all_of(records.begin(), records.end(),
                    [](const records::ComparisonRecord* record) { return record->gain_is_of_size(); });
    const bool all_grow =
        std::none_of(records.begin(), records.end(),
                     [](const records::ComparisonRecord* record) { return shrinks(*record); });
    return fmt::format("{}{}", same_state(records) ? state_of(first) : counted(records.size(), "comparison"),
                       !capacity  ? ""
                       : all_grow ? "; more capacity (sqrt of params x MACs) is not yet accuracy"
                                  : "; capacity (sqrt of params x MACs) is not accuracy");
}

// Those that keep the base in every comparison, named together or counted.
std::string keepers_text(const Records& records, bool named) {
    const bool all_keep =
        std::all_of(records.begin(), records.end(), [](const records::ComparisonRecord* record) {
            return keepers_of_base(*record).size() == record->strategies.size();
        });
    if (all_keep) {
        return "";
    }
    std::vector<std::string> names = keepers_of_base(*records.front());
    for (const records::ComparisonRecord* record : records) {
        const std::vector<std::string> here = keepers_of_base(*record);
        std::erase_if(names, [&](const std::string& name) {
            return std::find(here.begin(), here.end(), name) == here.end();
        });
    }
    if (names.empty()) {
        return "";
    }
    return named ? fmt::format("keep the base{}: {}", records.size() > 1 ? " throughout" : "",
                               fmt::join(names, ", "))
                 : fmt::format("{} strategies keep the base throughout", names.size());
}

// How much of the advised networks' predictions is interpolated.
std::string interpolated_text(const Records& records) {
    std::vector<double> shares;
    for (const records::ComparisonRecord* record : records) {
        const std::vector<const records::StrategyRow*> best = ranked(*record);
        if (!best.empty() && best.front()->interpolated_share) {
            shares.push_back(100.0 * *best.front()->interpolated_share);
        }
    }
    if (shares.empty()) {
        return "";
    }
    const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
    const std::string share = std::round(*least) == std::round(*most)
                                  ? fmt::format("{:.0f} %", *most)
                                  : fmt::format("{:.0f} to {:.0f} %", *least, *most);
    return fmt::format("interpolated: {} of the {} predicted latency", share,
                       shares.size() > 1 ? "choices'" : "choice's");
}

std::string trust_text(const Records& records, const std::vector<VerificationRecord>& verified) {
    const std::optional<TableTrust> trust = table_trust(records, verified);
    if (!trust) {
        return "table's sums: not checked on the device; \"hacscale verify\" does";
    }
    return fmt::format("table's sums: {:.1f} % off in the median of {}, {:.1f} % at worst{}",
                       trust->median_pct, counted(trust->networks, "measured network"), trust->worst_pct,
                       trust->worst_pct > records::prediction_tolerance_pct ? " (" + trust->worst + ")" : "");
}

Lines closing_lines(const Records& records, const AnswerNotes& notes) {
    Lines lines;
    append(lines, trust_text(records, notes.verified), 2);
    if (const std::string interpolated = interpolated_text(records); !interpolated.empty()) {
        append(lines, interpolated, 2);
    }
    lines.insert(lines.end(), notes.closing.begin(), notes.closing.end());
    return lines;
}

Lines with_closing(Lines lines, const Lines& closing) {
    lines.insert(lines.end(), closing.begin(), closing.end());
    return lines;
}

}  // namespace

std::optional<TableTrust> table_trust(const Records& records,
                                      const std::vector<VerificationRecord>& verified) {
    std::vector<std::pair<double, std::string>> errors;
    for (const records::ComparisonRecord* record : records) {
        std::set<std::string> networks;
        const auto add = [&](const records::StrategyRow& row) {
            const std::optional<double> error_pct = prediction_error_pct(row);
            if (error_pct && networks.insert(row.model_hash).second) {
                errors.emplace_back(std::abs(*error_pct), record->model + " " + row.strategy);
            }
        };
        add(record->base);
        std::for_each(record->strategies.begin(), record->strategies.end(), add);
    }
    for (const VerificationRecord& one : verified) {
        errors.emplace_back(std::abs(100.0 * (one.predicted_us / one.measured_us - 1.0)), one.model);
    }
    if (errors.empty()) {
        return std::nullopt;
    }
    std::vector<double> sizes;
    for (const auto& [size, name] : errors) {
        sizes.push_back(size);
    }
    const auto worst = std::max_element(errors.begin(), errors.end());
    return TableTrust{errors.size(), quantile(sizes, 0.5), worst->first, worst->second};
}

std::vector<std::string> answer_lines(const Records& records, const AnswerNotes& notes) {
    const Lines closing = closing_lines(records, notes);
    if (records.empty()) {
        return notes.closing;
    }
    const bool with_state = !same_state(records);
    const Lines header = wrapped(header_of(records), 2);
    for (const Detail detail : {Detail::all, Detail::without_others, Detail::in_short}) {
        Lines said = header;
        for (const records::ComparisonRecord* record : records) {
            add_comparison(said, *record, with_state, detail);
        }
        // What "all" says of each comparison need not be counted once more.
        std::vector<std::string> endings{keepers_text(records, true), ""};
        if (detail != Detail::all) {
            endings.insert(endings.begin() + 1, keepers_text(records, false));
        }
        for (const std::string& ending : endings) {
            Lines form = said;
            if (!ending.empty()) {
                append(form, ending, 2);
            }
            if (form.size() + closing.size() <= answer_lines_at_most) {
                return with_closing(form, closing);
            }
        }
    }
    const std::size_t room =
        answer_lines_at_most - std::min(answer_lines_at_most, closing.size() + header.size());
    Lines lines = header;
    for (std::size_t i = 0; i < records.size(); ++i) {
        const Lines one = wrapped(one_line(*records[i], with_state), 2);
        const std::size_t used = lines.size() - header.size();
        const std::size_t reserved = i + 1 < records.size() ? 1 : 0;  // for the line that counts the rest
        if (used + one.size() + reserved > room) {
            lines.push_back(fmt::format("and {} more: --details, or the report", records.size() - i));
            break;
        }
        lines.insert(lines.end(), one.begin(), one.end());
    }
    return with_closing(lines, closing);
}

std::optional<std::string> noise_warning(const records::ComparisonRecord& record) {
    double all_us = 0.0;
    double noisy_us = 0.0;
    for (const records::LayerRow& layer : record.layers) {
        if (layer.spec == "base") {
            all_us += layer.latency.latency_us;
            noisy_us += layer.latency.noisy ? layer.latency.latency_us : 0.0;
        }
    }
    if (noisy_us <= largest_noisy_share * all_us) {
        return std::nullopt;
    }
    return fmt::format(
        "{}: {:.0f} % of the base's predicted latency is the sum of noisy rows, so predictions may be far "
        "off; such rows are measured again by",
        record.model, 100.0 * noisy_us / all_us);
}

std::optional<std::string> peak_warning(const records::ComparisonRecord& record) {
    double most = record.base.utilization.value_or(0.0);
    for (const records::StrategyRow& row : record.strategies) {
        most = std::max(most, row.utilization.value_or(0.0));
    }
    for (const records::LayerRow& layer : record.layers) {
        most = std::max(most,
                        layer.latency.kind == EstimateKind::measured ? layer.utilization.value_or(0.0) : 0.0);
    }
    if (most <= largest_utilization) {
        return std::nullopt;
    }
    return fmt::format(
        "{}: a utilization of {:.0f} % says that the table's peak is too low, so utilizations are too high; "
        "the peak is measured again by",
        record.model, 100.0 * most);
}

bool has_gaps(const records::ComparisonRecord& record) {
    const auto gap = [](const records::StrategyRow& row) {
        return row.noisy || row.status == records::StrategyStatus::failed ||
               std::any_of(row.elsewhere.begin(), row.elsewhere.end(),
                           [](const records::OtherLatency& other) { return !other.latency_us; });
    };
    return gap(record.base) || std::any_of(record.strategies.begin(), record.strategies.end(), gap);
}

}  // namespace hacscale::harness
