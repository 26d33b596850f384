// Whole networks measured on the device, beside what the table predicts of them.
#pragma once

#include <string>
#include <vector>

#include "harness/events.hpp"
#include "harness/measure/device_access.hpp"
#include "harness/measure/table_view.hpp"
#include "records/verification.hpp"

namespace hacscale::harness {

struct ModelToVerify {
    Network network;
    std::string role;  // as VerifiedModel::role
};

// A few networks at a time are timed in interleaved rounds. Those that the table does not cover, or that
// could not be timed, are listed as skipped, with the reason. `noisy` counts those whose interval stayed
// wide.
struct VerifyOutcome {
    records::VerificationReport report;
    int noisy = 0;
};
VerifyOutcome verify_models(const Table& table, std::vector<ModelToVerify> models, const MeasuredState& state,
                            const TimeNetworks& time, const Events& events);

}  // namespace hacscale::harness
