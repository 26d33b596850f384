#include "harness/compare/candidate_search.hpp"

#include <algorithm>
#include <limits>

namespace hacscale::harness {

namespace {

// Of the latency predicted of the smallest network tried, where none keeps the budget and the last ratio leads to one of
// them again.
constexpr double step_below = 0.95;

}  // namespace

CandidateSearch::CandidateSearch(const Strategy& strategy, const ScalingContext& context, double budget)
    : strategy_(strategy),
      context_(context),
      budget_(budget),
      first_fit_(fit(strategy, context, context.budget_us(budget))) {
    if (first_fit_.status == FitStatus::ok) {
        open_ = first_fit_;
    }
}

CandidateSearch::CandidateSearch(const Strategy& strategy, const ScalingContext& context, double budget,
                                 Fit fixed)
    : strategy_(strategy), context_(context), budget_(budget), first_fit_(std::move(fixed)) {}

void CandidateSearch::timed(double latency_ratio) {
    const Tried now{*open_, latency_ratio};
    open_.reset();
    // Needs no timing of its own: every round times it.
    if (tried_.empty() && context_.settings().caps.admit(context_.base_evaluation().usage)) {
        Fit base = base_fit(context_);
        base.strategy = strategy_.name;
        tried_.push_back({std::move(base), 1.0});
    }
    tried_.push_back(now);
    // What the table would have to predict for the device to need exactly the budget.
    const double predicted_at_budget_us = now.fit.predicted_us() * budget_ / latency_ratio;
    const bool room_for_a_step = now.fit.next_us && predicted_at_budget_us >= *now.fit.next_us;
    if (latency_ratio <= budget_ && !room_for_a_step) {
        return;
    }
    if (open_untried(predicted_at_budget_us)) {
        return;
    }
    const Tried* kept = best();
    if (kept == nullptr || !keeps_budget(*kept)) {
        // What was tried already keeps nothing: a little below the least of it.
        double least_us = now.fit.predicted_us();
        for (const Tried& one : tried_) {
            least_us = std::min(least_us, one.fit.predicted_us());
        }
        open_untried(least_us * step_below);
        return;
    }
    const double low_us = kept->fit.predicted_us();
    double high_us = std::numeric_limits<double>::infinity();
    for (const Tried& one : tried_) {
        if (!keeps_budget(one) && one.fit.predicted_us() > low_us) {
            high_us = std::min(high_us, one.fit.predicted_us());
        }
    }
    if (high_us < std::numeric_limits<double>::infinity()) {
        open_untried(0.5 * (low_us + high_us));
    }
}

void CandidateSearch::failed(const std::string& reason) {
    failure_ = reason;
    open_.reset();
}

const Fit& CandidateSearch::chosen() const {
    const Tried* kept = best();
    return kept != nullptr ? kept->fit : first_fit_;
}

bool CandidateSearch::reject_chosen(double latency_ratio) {
    const Fit rejected = chosen();
    for (Tried& one : tried_) {
        if (one.fit.result.choice == rejected.result.choice) {
            one.latency_ratio = std::max(one.latency_ratio, latency_ratio);
        }
    }
    if (tried_.empty()) {
        if (!open_) {
            return false;
        }
        // There was no time for the search: what was timed is the prediction, and the next to be timed is
        // what it leads to.
        timed(latency_ratio);
    } else if (open_untried(rejected.predicted_us() * budget_ / latency_ratio)) {
        const Tried* kept = best();
        const bool nothing_kept = kept == nullptr || !keeps_budget(*kept);
        // It counts as keeping the budget until the next session has timed it.
        if (nothing_kept || open_->result.gain.value_or(0.0) > kept->fit.result.gain.value_or(0.0)) {
            tried_.push_back({*open_, budget_});
        }
        open_.reset();
    }
    return chosen().result.choice != rejected.result.choice;
}

bool CandidateSearch::was_tried(const ScalingChoice& choice) const {
    return std::any_of(tried_.begin(), tried_.end(),
                       [&](const Tried& one) { return one.fit.result.choice == choice; });
}

bool CandidateSearch::open_untried(double predicted_budget_us) {
    Fit next = fit(strategy_, context_, std::min(predicted_budget_us, context_.max_budget_us()));
    if (next.status != FitStatus::ok || was_tried(next.result.choice)) {
        return false;
    }
    // A network that gains less than one that kept the budget need not be timed; it may even be smaller than the base
    // where the base keeps the budget.
    const Tried* kept = best();
    if (kept != nullptr && keeps_budget(*kept) && next.result.gain &&
        *next.result.gain <= kept->fit.result.gain.value_or(*next.result.gain - 1.0)) {
        return false;
    }
    open_ = std::move(next);
    return true;
}

const CandidateSearch::Tried* CandidateSearch::best() const {
    const auto better = [this](const Tried& a, const Tried& b) {
        const bool a_keeps = keeps_budget(a);
        const bool b_keeps = keeps_budget(b);
        if (a_keeps != b_keeps) {
            return a_keeps;
        }
        return a_keeps ? a.fit.result.gain.value_or(0.0) > b.fit.result.gain.value_or(0.0)
                       : a.latency_ratio < b.latency_ratio;
    };
    const auto found = std::min_element(tried_.begin(), tried_.end(), better);
    return found == tried_.end() ? nullptr : &*found;
}

bool SessionBudget::allows(std::size_t networks, std::size_t later) const {
    return !left_s_ || left_s_() > network_s_ * static_cast<double>(networks + later);
}

void SessionBudget::begin(std::size_t networks, std::size_t later) {
    if (!left_s_ || networks == 0) {
        return;
    }
    networks_ = networks;
    left_as_it_began_s_ = left_s_();
    session_s_ = left_as_it_began_s_ * static_cast<double>(networks) / static_cast<double>(networks + later);
}

void SessionBudget::end() {
    if (left_s_ && networks_ > 0) {
        network_s_ = (left_as_it_began_s_ - left_s_()) / static_cast<double>(networks_);
    }
}

}  // namespace hacscale::harness
