#include "profiler/sweep/sweep_run.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hacscale {

double SweepSummary::worst_network_error() const {
    double worst = 0.0;
    for (const double error : network_errors) worst = std::max(worst, std::abs(error));
    return worst;
}

namespace detail {

SweepRun::SweepRun(const DeviceHandle& device, Table& table, std::string name, const MeasureSettings& measure,
                   const SweepSettings& settings, const WorkEvents& events)
    : device_(device),
      table_(table),
      name_(std::move(name)),
      measure_(without_energy(measure)),
      settings_(settings),
      events_(events),
      deadline_us_(device.backend->clock_us() + settings.max_seconds * 1e6) {}

bool SweepRun::out_of_time() const {
    return device_.backend->clock_us() > deadline_us_ || !events_.keep_going();
}

void SweepRun::share_time(std::size_t networks) {
    measure_.rules = within(measure_.rules, settings_.max_seconds, networks);
}

void SweepRun::run(std::vector<Network> networks) {
    run(std::move(networks), /*run_all=*/false);
}

bool SweepRun::predicts(std::vector<Network> networks) {
    std::vector<double> predicted;
    for (const Network& network : networks) {
        predicted.push_back(predict(table_, network.graph, measure_, CacheState::network).latency_us);
    }
    const std::vector<HostNetworkResult> results = run(std::move(networks), /*run_all=*/true);
    if (out_of_time()) return false;
    summary_.network_errors.clear();
    for (const HostNetworkResult& result : results) {
        if (!result.measured) continue;  // it cannot run here
        summary_.network_errors.push_back(predicted[result.host_network] / result.total.median - 1.0);
    }
    return summary_.worst_network_error() <= settings_.tolerance;
}

SweepSummary SweepRun::summary(bool complete) const {
    SweepSummary summary = summary_;
    summary.held_out_widths = held_out_widths;
    summary.held_out_inner_widths = held_out_inner_widths;
    summary.out_of_time = out_of_time();
    summary.complete = complete && !summary.out_of_time;
    summary.profile.interrupted = !events_.keep_going();
    return summary;
}

std::vector<HostNetworkResult> SweepRun::run(std::vector<Network> networks, bool run_all) {
    const WorkEvents events{[this] { return !out_of_time(); },
                            [this](double done, double total, const std::string&) {
                                events_.progress(done, total, name_ + " at scaled widths");
                            }};
    ProfileRequest request{std::move(networks), measure_, {CacheState::network}, run_all};
    request.retry_failed = settings_.retry_failed;
    request.noisy_until = settings_.noisy_until;
    ProfileSummary part = profile(device_, table_, request, events);
    for (const HostNetworkResult& result : part.host_networks) {
        summary_.host_networks.push_back(
            {std::move(request.host_networks[result.host_network]), result.reference_us});
    }
    summary_.profile.add_rows(part);
    return std::move(part.host_networks);
}

}  // namespace detail

}  // namespace hacscale
