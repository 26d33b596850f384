// Two networks of the comparison, layer by layer. The page lets readers pick which two; the other formats
// have the base and HACScale's choice.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

struct Network {
    std::string name;
    std::string label;  // with the other strategies that chose the same
    std::vector<records::LayerRow> layers;

    double total_us() const {
        double sum = 0.0;
        for (const records::LayerRow& layer : layers) sum += layer.latency_us().value_or(0.0);
        return sum;
    }
};

std::vector<records::LayerRow> layers_of(const records::ComparisonRecord& comparison,
                                         const std::string& spec) {
    std::vector<records::LayerRow> layers;
    for (const records::LayerRow& layer : comparison.layers) {
        if (layer.spec == spec) layers.push_back(layer);
    }
    return layers;
}

// "base, depth-only" where that strategy keeps the base.
std::string label_of(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    std::string label = row.strategy;
    for (const records::StrategyRow& other : comparison.strategies) {
        if (&other != &row && other.has_answer() && same_network(other, row)) label += ", " + other.strategy;
    }
    return label;
}

// The base, HACScale's choice, and what the record has of the other strategies.
std::vector<Network> compared_networks(const records::ComparisonRecord& comparison) {
    std::vector<Network> networks;
    if (std::vector<records::LayerRow> layers = layers_of(comparison, "base"); !layers.empty()) {
        networks.push_back({"base", label_of(comparison, comparison.base), std::move(layers)});
    }
    const records::StrategyRow* own = comparison.hacscale();
    std::vector<records::LayerRow> layers = layers_of(comparison, "hacscale");
    if (!layers.empty()) {
        networks.push_back(
            {"hacscale", own == nullptr ? "hacscale" : label_of(comparison, *own), std::move(layers)});
    }
    for (const records::StrategyLayers& strategy : comparison.strategy_layers) {
        Network network{strategy.strategies.front(), "", strategy.layers};
        for (const std::string& name : strategy.strategies) {
            network.label += (network.label.empty() ? "" : ", ") + name;
        }
        networks.push_back(std::move(network));
    }
    return networks;
}

struct Pair {
    const records::LayerRow* one = nullptr;
    const records::LayerRow* other = nullptr;
    double share = 0.0;  // of the time of the network where it is larger

    const records::LayerRow& any() const { return one != nullptr ? *one : *other; }
};

std::vector<Pair> pairs_of(const Network& first, const Network& second) {
    std::vector<Pair> pairs;
    std::map<std::string, std::size_t> place;
    const double first_us = first.total_us();
    const double second_us = second.total_us();
    const auto share_of = [](const records::LayerRow& layer, double total_us) {
        return total_us > 0.0 ? layer.latency_us().value_or(0.0) / total_us : 0.0;
    };
    for (const records::LayerRow& layer : first.layers) {
        place.emplace(layer.name, pairs.size());
        pairs.push_back({&layer, nullptr, share_of(layer, first_us)});
    }
    for (const records::LayerRow& layer : second.layers) {
        const auto [found, is_new] = place.emplace(layer.name, pairs.size());
        if (is_new) pairs.emplace_back();
        Pair& pair = pairs[found->second];
        pair.other = &layer;
        pair.share = std::max(pair.share, share_of(layer, second_us));
    }
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const Pair& a, const Pair& b) { return a.share > b.share; });
    return pairs;
}

std::optional<double> change_of(const Pair& pair) {
    const auto latency_us = [](const records::LayerRow* layer) {
        return layer == nullptr ? std::optional(0.0) : layer->latency_us();
    };
    const std::optional<double> before = latency_us(pair.one);
    const std::optional<double> after = latency_us(pair.other);
    return before && after ? std::optional(*after - *before) : std::nullopt;
}

Table table_of(const records::ComparisonRecord& comparison, const Network& first, const Network& second) {
    Table table;
    table.csv_file = "layer_differences.csv";
    table.caption = "Layers by share of time. A layer that only one of the networks has counts in full.";
    table.columns = {model_column(),
                     budget_column(),
                     {"From", "from", false, Show::csv_only},
                     {"To", "to", false, Show::csv_only},
                     {"Layer", "name", false},
                     {"Stage", "stage", false},
                     {"Width, " + first.name, "from_width"},
                     {"Width, " + second.name, "to_width"},
                     {"Latency, " + first.name, "from_us"},
                     {"Latency, " + second.name, "to_us"},
                     {"Difference", "change_us"},
                     {"Share of time", "share"}};
    const auto time = [](double us) { return latency(us); };
    const auto change = [&](double us) { return with_sign(us, time); };
    const auto width = [](const records::LayerRow* layer) {
        return layer == nullptr ? std::nullopt : layer_width(layer->key);
    };
    const auto time_of = [](const records::LayerRow* layer) {
        return layer == nullptr ? std::nullopt : layer->latency_us();
    };
    for (const Pair& pair : pairs_of(first, second)) {
        const bool same = pair.one != nullptr && pair.other != nullptr && pair.one->key == pair.other->key;
        TableRow row;
        row.mark = same ? RowMark::unchanged : RowMark::none;
        row.cells = {model_cell(comparison),
                     budget_cell(comparison),
                     text_cell(first.name),
                     text_cell(second.name),
                     text_cell(pair.any().name),
                     text_cell(pair.any().stage_name()),
                     integer_cell(width(pair.one)),
                     integer_cell(width(pair.other)),
                     number_cell(time_of(pair.one), time),
                     number_cell(time_of(pair.other), time),
                     number_cell(change_of(pair), change),
                     number_cell(pair.share, percent)};
        table.rows.push_back(std::move(row));
    }
    return table;
}

// The page's data: each distinct layer once, in `figures`, since strategies share most of theirs.
nlohmann::json data_of(const std::vector<Network>& networks, std::size_t first, std::size_t second) {
    nlohmann::json names = nlohmann::json::array();
    nlohmann::json stages = nlohmann::json::object();
    nlohmann::json figures = nlohmann::json::array();
    nlohmann::json listed = nlohmann::json::array();
    std::map<std::string, std::size_t> name_places;
    std::map<std::string, std::size_t> key_places;
    // A layer may have another latency in another network: other layers stand around it.
    std::map<std::pair<std::string, std::optional<double>>, std::size_t> figure_places;
    for (const Network& network : networks) {
        nlohmann::json layers = nlohmann::json::array();
        for (const records::LayerRow& layer : network.layers) {
            const auto [name, new_name] = name_places.emplace(layer.name, names.size());
            if (new_name) {
                names.push_back(layer.name);
                if (const std::string stage = layer.stage_name(); !stage.empty()) stages[layer.name] = stage;
            }
            const auto [figure, new_figure] =
                figure_places.emplace(std::pair(layer.key, layer.latency_us()), figures.size());
            if (new_figure) {
                const std::optional<int> width = layer_width(layer.key);
                figures.push_back(
                    {width ? nlohmann::json(whole(*width)) : nlohmann::json(),
                     layer.latency_us() ? nlohmann::json(*layer.latency_us()) : nlohmann::json(),
                     layer.latency_us() ? nlohmann::json(latency(*layer.latency_us())) : nlohmann::json(),
                     key_places.emplace(layer.key, key_places.size()).first->second});
            }
            layers.push_back({name->second, figure->second});
        }
        listed.push_back({{"name", network.name}, {"label", network.label}, {"layers", std::move(layers)}});
    }
    return {{"names", names},     {"stages", stages}, {"figures", figures},
            {"networks", listed}, {"first", first},   {"second", second}};
}

}  // namespace

Section layer_differences_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const std::vector<Network> networks = compared_networks(comparison);
    const char* heading = "Which layers differ";
    if (networks.size() < 2) {
        return absent_section(heading, "layers of two networks in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = heading;
    if (comparison.strategy_layers.empty() && comparison.strategies.size() > 1) {
        section.parts.push_back(Paragraph{
            "This record has the layers of the base and of HACScale’s choice alone. The command that "
            "makes one with those of every strategy:",
            "hacscale compare MODEL --table TABLE --json"});
    }
    section.parts.push_back(
        NetworkPicker{data_of(networks, 0, 1).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                      table_of(comparison, networks[0], networks[1])});
    return section;
}

}  // namespace hacscale::report
