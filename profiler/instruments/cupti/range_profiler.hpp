// Reads the counters of single layers with CUPTI's range profiler: each layer is a range that this program
// opens and closes (user range), and the network is run again for each pass that the counters need (user
// replay).
//
// The order of calls, for one network: cuptiProfilerInitialize; chip name, support and availability of the
// device; then for each set of counters the schedule (counters.hpp); Enable on the context; a counter image
// with room for a range a layer; SetConfig; then, until Stop says that all passes were submitted: Start, for each
// layer PushRange, launch, wait, PopRange, and Stop. Then Decode, and the values of each range; Disable. Layers run
// one at a time, in order, with a wait behind each, so that nothing of a neighbour falls into a range; most of a
// range's time the device idles, so nothing may be divided by it. No activity records may be enabled meanwhile.
#pragma once

#include <functional>
#include <span>

#include "profiler/instruments/cupti/counters.hpp"

namespace hacscale::cupti {

// device: as the driver counts (CUdevice). run_layer starts a layer and waits for it; what it throws passes
// through. Every value or, for each that is missing, its reason is written into `readings`, which has one
// entry a layer.
void read_counters(const CuptiLibrary& cupti, CUcontext context, CUdevice device,
                   const InstrumentOptions& options, const std::function<void(int layer)>& run_layer,
                   std::span<LayerReadings> readings);

// The reason for every column that a counter would have filled.
void no_counters(const InstrumentOptions& options, const std::string& reason,
                 std::span<LayerReadings> readings);

}  // namespace hacscale::cupti
