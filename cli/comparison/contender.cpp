#include "cli/comparison/contender.hpp"

#include <algorithm>

namespace hacscale::cli {

Contender::Contender(const Strategy& strategy, const ScalingContext& context, double budget)
    : strategy_(strategy),
      context_(context),
      budget_(budget),
      first_fit_(fit(strategy, context, context.budget_us(budget))) {
    if (first_fit_.status == FitStatus::ok) {
        open_ = first_fit_;
    }
}

Contender::Contender(const Strategy& strategy, const ScalingContext& context, double budget, Fit fixed)
    : strategy_(strategy), context_(context), budget_(budget), first_fit_(std::move(fixed)) {}

void Contender::timed(double latency_ratio) {
    const Tried now{*open_, latency_ratio};
    open_.reset();
    tried_.insert(now.fit.result.choice);
    if (better(now)) {
        best_ = now;
    }
    // What the table would have to predict for the device to need exactly the budget.
    const double predicted_at_budget_us = now.fit.predicted_us() * budget_ / latency_ratio;
    const bool room_for_a_step = now.fit.next_us && predicted_at_budget_us >= *now.fit.next_us;
    if (latency_ratio > budget_ || room_for_a_step) {
        propose(predicted_at_budget_us);
    }
}

void Contender::failed(const std::string& reason) {
    failure_ = reason;
    open_.reset();
}

const Fit& Contender::chosen() const {
    return best_ ? best_->fit : first_fit_;
}

void Contender::propose(double predicted_budget_us) {
    const double most_us = context_.budget_us(context_.settings().max_budget);
    Fit next = fit(strategy_, context_, std::min(predicted_budget_us, most_us));
    if (next.status == FitStatus::ok && !tried_.contains(next.result.choice)) {
        open_ = std::move(next);
    }
}

bool Contender::better(const Tried& candidate) const {
    if (!best_) {
        return true;
    }
    const bool keeps = candidate.latency_ratio <= budget_;
    const bool best_keeps = best_->latency_ratio <= budget_;
    if (keeps != best_keeps) {
        return keeps;
    }
    if (!keeps) {
        return candidate.latency_ratio < best_->latency_ratio;
    }
    return candidate.fit.result.gain.value_or(0.0) > best_->fit.result.gain.value_or(0.0);
}

}  // namespace hacscale::cli
