// Measures what a scaling question needs of a model's space, instead of the full grid.
//
// A layer depends on the widths of its stage and of the one before, so every pair of neighbouring widths
// matters. Coarse widths come first: with K of them a stage, K x K host networks in which even stages take the one
// and odd stages the other width hold every pair of every transition at once. Then widths half-way between
// measured ones are predicted from the table, measured, and compared, all stages in one host network: where the
// prediction is off by more than the tolerance, both halves are looked at in turn, because latency over width
// is a staircase and the step is in one of them.
//
// Where inner widths may be chosen, a layer depends on a stage's width and an inner width, or on the width
// before and an inner width. As many host networks again hold all these pairs: the inner width of each stage goes
// round with the sum of the two stage widths' places, a Latin square, in which each pair of the three meets
// once. Inner widths between measured ones are held out as stage widths are; one that is predicted badly is
// measured at all coarse stage widths. Last come whole networks drawn at random from the space,
// depths included, predicted before they are measured: rounds of them, until one is predicted well. So what
// ends each search is something held out that was predicted within the tolerance, and these errors are the
// sweep's own account of itself.
#pragma once

#include <optional>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "profiler/profile.hpp"
#include "profiler/sweep/sweep_space.hpp"

namespace hacscale {

struct SweepSettings {
    double tolerance = 0.05;     // relative error of a held-out stage or network
    double max_seconds = 600.0;  // for the whole sweep; what is not looked at by then stays interpolated
    int coarse_widths = 4;       // K; at resolutions other than the base's it is 3
    bool retry_failed = true;    // as in ProfileRequest
    std::string noisy_until{};   // as in ProfileRequest
};

// A network that was run for a table.
struct HostNetwork {
    Network network;
    std::optional<double> reference_us;  // as Row::reference_us
};

struct SweepSummary {
    ProfileSummary profile;
    std::vector<HostNetwork> host_networks;
    int held_out_widths = 0;  // stage widths predicted and then measured; those off by more were refined
    int held_out_inner_widths = 0;  // likewise, of inner widths
    std::vector<double>
        network_errors;     // of the last round of random networks: predicted over measured, minus one
    bool complete = false;  // every search ended by itself, the last round of networks within the tolerance
    bool out_of_time = false;  // where it is not complete: for want of time, not of exactness

    // Of the last round of networks, in absolute value; 0 when there was none.
    double worst_network_error() const;
};

// `base` in the layout for the device. Throws InputError when the space does not fit the base.
SweepSummary sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events);

}  // namespace hacscale
