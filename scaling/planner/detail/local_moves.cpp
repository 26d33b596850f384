#include "scaling/planner/detail/local_moves.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "scaling/planner/detail/elimination.hpp"

namespace hacscale::planner {
namespace {

constexpr std::size_t max_paired = 96;  // moves of one choice that are tried in pairs

// One variable at another value, with what it determines.
struct Move {
    int variable = 0;
    std::uint16_t value = 0;
    std::int64_t cost = 0;  // what it adds, here and below
    std::int64_t gain = 0;
    std::int64_t params = 0;
    std::int64_t macs = 0;
    std::int64_t weight_bytes = 0;
    double loss = 0.0;  // of worth at the price
};

class Neighbourhood {
public:
    explicit Neighbourhood(const GraphProblem& problem)
        : problem_(problem), factors_(problem.values.size()), determines_(problem.values.size()) {
        for (std::size_t f = 0; f < problem.factors.size(); ++f) {
            for (const int variable : problem.factors[f].variables) {
                factors_[index(variable)].push_back(static_cast<int>(f));
            }
        }
        std::vector<bool> derived(problem.values.size(), false);
        for (std::size_t d = 0; d < problem.derived.size(); ++d) {
            determines_[index(problem.derived[d].first)].push_back(static_cast<int>(d));
            determines_[index(problem.derived[d].second)].push_back(static_cast<int>(d));
            derived[index(problem.derived[d].variable)] = true;
        }
        for (std::size_t v = 0; v < problem.values.size(); ++v) {
            if (!derived[v] && problem.values[v] > 1) free_.push_back(static_cast<int>(v));
        }
        // Factors that a move of each variable changes.
        changed_.resize(problem.values.size());
        for (const int variable : free_) {
            std::vector<int> moved{variable};
            for (std::size_t i = 0; i < moved.size(); ++i) {
                for (const int d : determines_[index(moved[i])]) {
                    const int other = problem.derived[index(d)].variable;
                    if (std::find(moved.begin(), moved.end(), other) == moved.end()) moved.push_back(other);
                }
            }
            std::vector<int>& changed = changed_[index(variable)];
            for (const int other : moved) {
                changed.insert(changed.end(), factors_[index(other)].begin(), factors_[index(other)].end());
            }
            std::sort(changed.begin(), changed.end());
            changed.erase(std::unique(changed.begin(), changed.end()), changed.end());
        }
    }

    const std::vector<int>& free() const { return free_; }

    // Nothing where it is infeasible. `choice` is as before in the end.
    std::optional<Move> move(Assignment& choice, int variable, std::uint16_t value, double price) {
        Move move;
        move.variable = variable;
        move.value = value;
        for (const int f : changed_[index(variable)]) add(move, entry_of(f, choice), -1);
        before_.clear();
        bool possible = set(choice, variable, value);
        for (const int f : changed_[index(variable)]) {
            if (!possible) break;
            const BlockOption& entry = entry_of(f, choice);
            possible = entry.feasible();
            if (possible) add(move, entry, 1);
        }
        for (std::size_t i = before_.size(); i-- > 0;) choice[index(before_[i].first)] = before_[i].second;
        if (!possible) return std::nullopt;
        move.loss = price * static_cast<double>(move.cost) - static_cast<double>(move.gain);
        return move;
    }

    void apply(const Move& move, Archive::Point& point) {
        point.cost += move.cost;
        point.gain += move.gain;
        point.usage.params += move.params;
        point.usage.macs += move.macs;
        point.usage.weight_bytes += move.weight_bytes;
        before_.clear();
        set(point.choice, move.variable, move.value);
    }

    // Whether what two moves add is the sum of what each adds.
    bool independent(const Move& a, const Move& b) const {
        const std::vector<int>& first = changed_[index(a.variable)];
        const std::vector<int>& second = changed_[index(b.variable)];
        auto i = first.begin();
        auto j = second.begin();
        while (i != first.end() && j != second.end()) {
            if (*i == *j) return false;
            *i < *j ? ++i : ++j;
        }
        return a.variable != b.variable;
    }

private:
    static void add(Move& move, const BlockOption& entry, std::int64_t sign) {
        move.cost += sign * entry.cost;
        move.gain += sign * entry.gain;
        move.params += sign * entry.usage.params;
        move.macs += sign * entry.usage.macs;
        move.weight_bytes += sign * entry.usage.weight_bytes;
    }

    // With all that it determines; what they were goes to before_. False when two values do not go together.
    bool set(Assignment& choice, int variable, std::uint16_t value) {
        before_.emplace_back(variable, choice[index(variable)]);
        choice[index(variable)] = value;
        for (std::size_t i = 0; i < before_.size(); ++i) {
            for (const int d : determines_[index(before_[i].first)]) {
                const DerivedVariable& derived = problem_.derived[index(d)];
                const std::size_t place = std::size_t{choice[index(derived.first)]} *
                                              index(problem_.values[index(derived.second)]) +
                                          choice[index(derived.second)];
                const int to = problem_.derivations[index(derived.table)][place];
                if (to < 0) return false;
                if (to == choice[index(derived.variable)]) continue;
                before_.emplace_back(derived.variable, choice[index(derived.variable)]);
                choice[index(derived.variable)] = static_cast<std::uint16_t>(to);
            }
        }
        return true;
    }

    const BlockOption& entry_of(int f, const Assignment& choice) const {
        const Factor& factor = problem_.factors[index(f)];
        std::size_t place = 0;
        for (const int variable : factor.variables) {
            place = place * index(problem_.values[index(variable)]) + choice[index(variable)];
        }
        return problem_.tables[index(factor.table)][place];
    }

    const GraphProblem& problem_;
    std::vector<int> free_;
    std::vector<std::vector<int>> factors_;
    std::vector<std::vector<int>> determines_;
    std::vector<std::vector<int>> changed_;
    std::vector<std::pair<int, std::uint16_t>> before_;  // of what is being set, its values before
};

}  // namespace

void add_neighbours(const GraphProblem& problem, const std::vector<Tangent>& tangents, Archive& archive) {
    Neighbourhood neighbourhood(problem);
    for (const Tangent& tangent : tangents) {
        if (!tangent.touches) continue;
        Assignment choice = tangent.touches->choice;
        std::vector<Move> moves;
        for (const int variable : neighbourhood.free()) {
            for (int value = 0; value < problem.values[index(variable)]; ++value) {
                if (value == choice[index(variable)]) continue;
                const std::optional<Move> move = neighbourhood.move(
                    choice, variable, static_cast<std::uint16_t>(value), tangent.cost_price);
                if (move) moves.push_back(*move);
            }
        }
        std::vector<Archive::Point> points;
        const auto offer = [&](const Move& a, const Move* b) {
            const std::int64_t cost = tangent.touches->cost + a.cost + (b ? b->cost : 0);
            const std::int64_t gain = tangent.touches->gain + a.gain + (b ? b->gain : 0);
            if (!archive.would_take(cost, gain)) return;
            Archive::Point point = *tangent.touches;
            neighbourhood.apply(a, point);
            if (b) neighbourhood.apply(*b, point);
            points.push_back(std::move(point));
        };
        for (const Move& move : moves) offer(move, nullptr);
        std::stable_sort(moves.begin(), moves.end(),
                         [](const Move& a, const Move& b) { return a.loss < b.loss; });
        const std::size_t paired = std::min(moves.size(), max_paired);
        for (std::size_t a = 0; a < paired; ++a) {
            for (std::size_t b = a + 1; b < paired; ++b) {
                if (neighbourhood.independent(moves[a], moves[b])) offer(moves[a], &moves[b]);
            }
        }
        archive.add(std::move(points));
    }
}

}  // namespace hacscale::planner
