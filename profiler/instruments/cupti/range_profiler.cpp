#include "profiler/instruments/cupti/range_profiler.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "kernels/cuda/cupti/cupti_library.hpp"

namespace hacscale::cupti {
namespace {

// CUPTI's parameter structs begin with their size, which it reads to know how new they are.
template <typename Params>
Params params(std::size_t struct_size) {
    Params result{};
    result.structSize = struct_size;
    return result;
}

void initialize_profiler(const CuptiLibrary& cupti, CUdevice device) {
    auto initialize = params<CUpti_Profiler_Initialize_Params>(CUpti_Profiler_Initialize_Params_STRUCT_SIZE);
    check(cupti, cupti.profiler_initialize(&initialize), "cuptiProfilerInitialize");
    auto support =
        params<CUpti_Profiler_DeviceSupported_Params>(CUpti_Profiler_DeviceSupported_Params_STRUCT_SIZE);
    support.cuDevice = device;
    support.api = CUPTI_PROFILER_RANGE_PROFILING;
    check(cupti, cupti.profiler_device_supported(&support), "cuptiProfilerDeviceSupported");
    if (const std::string reason = unsupported_reason(support); !reason.empty()) throw CuptiFailure(reason);
}

std::string chip_name(const CuptiLibrary& cupti, CUdevice device) {
    auto chip = params<CUpti_Device_GetChipName_Params>(CUpti_Device_GetChipName_Params_STRUCT_SIZE);
    chip.deviceIndex = static_cast<std::size_t>(device);
    check(cupti, cupti.device_get_chip_name(&chip), "cuptiDeviceGetChipName");
    return chip.pChipName;
}

std::vector<std::uint8_t> counter_availability(const CuptiLibrary& cupti, CUcontext context) {
    auto availability = params<CUpti_Profiler_GetCounterAvailability_Params>(
        CUpti_Profiler_GetCounterAvailability_Params_STRUCT_SIZE);
    availability.ctx = context;
    check(cupti, cupti.profiler_get_counter_availability(&availability),
          "cuptiProfilerGetCounterAvailability");
    std::vector<std::uint8_t> image(availability.counterAvailabilityImageSize);
    availability.pCounterAvailabilityImage = image.data();
    check(cupti, cupti.profiler_get_counter_availability(&availability),
          "cuptiProfilerGetCounterAvailability");
    return image;
}

// The range profiler, enabled on a context as long as this object lives.
class RangeSession {
public:
    RangeSession(const CuptiLibrary& cupti, CUcontext context, CounterConfig& config, std::size_t layers)
        : cupti_(cupti) {
        auto enable =
            params<CUpti_RangeProfiler_Enable_Params>(CUpti_RangeProfiler_Enable_Params_STRUCT_SIZE);
        enable.ctx = context;
        check(cupti_, cupti_.range_enable(&enable), "cuptiRangeProfilerEnable");
        profiler_ = enable.pRangeProfilerObject;
        try {
            make_counter_data(config, layers);
            set_config(config, layers);
        } catch (...) {
            disable();
            throw;
        }
    }
    ~RangeSession() { disable(); }
    RangeSession(const RangeSession&) = delete;
    RangeSession& operator=(const RangeSession&) = delete;

    // One run over all layers. True when the counters need no further one.
    bool run_pass(std::size_t layers, const std::function<void(int layer)>& run_layer) {
        auto start = params<CUpti_RangeProfiler_Start_Params>(CUpti_RangeProfiler_Start_Params_STRUCT_SIZE);
        start.pRangeProfilerObject = profiler_;
        check(cupti_, cupti_.range_start(&start), "cuptiRangeProfilerStart");
        for (int layer = 0; layer < static_cast<int>(layers); ++layer) {
            const std::string name = std::to_string(layer);
            auto push = params<CUpti_RangeProfiler_PushRange_Params>(
                CUpti_RangeProfiler_PushRange_Params_STRUCT_SIZE);
            push.pRangeProfilerObject = profiler_;
            push.pRangeName = name.c_str();
            check(cupti_, cupti_.range_push(&push), "cuptiRangeProfilerPushRange");
            run_layer(layer);
            auto pop =
                params<CUpti_RangeProfiler_PopRange_Params>(CUpti_RangeProfiler_PopRange_Params_STRUCT_SIZE);
            pop.pRangeProfilerObject = profiler_;
            check(cupti_, cupti_.range_pop(&pop), "cuptiRangeProfilerPopRange");
        }
        auto stop = params<CUpti_RangeProfiler_Stop_Params>(CUpti_RangeProfiler_Stop_Params_STRUCT_SIZE);
        stop.pRangeProfilerObject = profiler_;
        check(cupti_, cupti_.range_stop(&stop), "cuptiRangeProfilerStop");
        return stop.isAllPassSubmitted != 0;
    }

    void decode() {
        auto decode =
            params<CUpti_RangeProfiler_DecodeData_Params>(CUpti_RangeProfiler_DecodeData_Params_STRUCT_SIZE);
        decode.pRangeProfilerObject = profiler_;
        check(cupti_, cupti_.range_decode(&decode), "cuptiRangeProfilerDecodeData");
    }

    std::size_t ranges() const {
        auto info = params<CUpti_RangeProfiler_GetCounterDataInfo_Params>(
            CUpti_RangeProfiler_GetCounterDataInfo_Params_STRUCT_SIZE);
        info.pCounterDataImage = counter_data_.data();
        info.counterDataImageSize = counter_data_.size();
        check(cupti_, cupti_.range_get_counter_data_info(&info), "cuptiRangeProfilerGetCounterDataInfo");
        return info.numTotalRanges;
    }

    // The layer that a range is of; -1 for a range that is none of ours.
    int layer_of(std::size_t range) const {
        auto info = params<CUpti_RangeProfiler_CounterData_GetRangeInfo_Params>(
            CUpti_RangeProfiler_CounterData_GetRangeInfo_Params_STRUCT_SIZE);
        info.pCounterDataImage = counter_data_.data();
        info.counterDataImageSize = counter_data_.size();
        info.rangeIndex = range;
        info.rangeDelimiter = "/";
        check(cupti_, cupti_.range_get_range_info(&info), "cuptiRangeProfilerCounterDataGetRangeInfo");
        const char* const end = info.rangeName + std::strlen(info.rangeName);
        int layer = -1;
        const auto parsed = std::from_chars(info.rangeName, end, layer);
        return parsed.ec == std::errc() && parsed.ptr == end ? layer : -1;
    }

    // In the order of the configuration's metrics.
    std::vector<double> values(const ProfilerHost& host, std::size_t range, CounterConfig& config) const {
        std::vector<double> result(config.names.size(), std::nan(""));
        auto evaluate = params<CUpti_Profiler_Host_EvaluateToGpuValues_Params>(
            CUpti_Profiler_Host_EvaluateToGpuValues_Params_STRUCT_SIZE);
        evaluate.pHostObject = host.get();
        evaluate.pCounterDataImage = counter_data_.data();
        evaluate.counterDataImageSize = counter_data_.size();
        evaluate.rangeIndex = range;
        evaluate.ppMetricNames = config.names.data();
        evaluate.numMetrics = config.names.size();
        evaluate.pMetricValues = result.data();
        check(cupti_, cupti_.host_evaluate_to_gpu_values(&evaluate), "cuptiProfilerHostEvaluateToGpuValues");
        return result;
    }

private:
    void make_counter_data(CounterConfig& config, std::size_t layers) {
        auto size = params<CUpti_RangeProfiler_GetCounterDataSize_Params>(
            CUpti_RangeProfiler_GetCounterDataSize_Params_STRUCT_SIZE);
        size.pRangeProfilerObject = profiler_;
        size.pMetricNames = config.names.data();
        size.numMetrics = config.names.size();
        size.maxNumOfRanges = layers;
        size.maxNumRangeTreeNodes = static_cast<std::uint32_t>(layers);
        check(cupti_, cupti_.range_get_counter_data_size(&size), "cuptiRangeProfilerGetCounterDataSize");
        counter_data_.resize(size.counterDataSize);
        auto initialize = params<CUpti_RangeProfiler_CounterDataImage_Initialize_Params>(
            CUpti_RangeProfiler_CounterDataImage_Initialize_Params_STRUCT_SIZE);
        initialize.pRangeProfilerObject = profiler_;
        initialize.counterDataSize = counter_data_.size();
        initialize.pCounterData = counter_data_.data();
        check(cupti_, cupti_.range_counter_data_initialize(&initialize),
              "cuptiRangeProfilerCounterDataImageInitialize");
    }

    void set_config(const CounterConfig& config, std::size_t layers) {
        auto set =
            params<CUpti_RangeProfiler_SetConfig_Params>(CUpti_RangeProfiler_SetConfig_Params_STRUCT_SIZE);
        set.pRangeProfilerObject = profiler_;
        set.configSize = config.image.size();
        set.pConfig = config.image.data();
        set.counterDataImageSize = counter_data_.size();
        set.pCounterDataImage = counter_data_.data();
        set.range = CUPTI_UserRange;
        set.replayMode = CUPTI_UserReplay;
        set.maxRangesPerPass = layers;
        set.numNestingLevels = 1;
        set.minNestingLevel = 1;
        set.passIndex = 0;
        set.targetNestingLevel = 1;
        check(cupti_, cupti_.range_set_config(&set), "cuptiRangeProfilerSetConfig");
    }

    void disable() noexcept {
        auto disable =
            params<CUpti_RangeProfiler_Disable_Params>(CUpti_RangeProfiler_Disable_Params_STRUCT_SIZE);
        disable.pRangeProfilerObject = profiler_;
        cupti_.range_disable(&disable);
    }

    const CuptiLibrary& cupti_;
    CUpti_RangeProfiler_Object* profiler_ = nullptr;
    std::vector<std::uint8_t> counter_data_;
};

std::string listed(std::span<const char* const> names) {
    std::string list;
    for (const char* name : names) list += (list.empty() ? "" : " and ") + std::string(name);
    return list;
}

// The values of one layer, one for each of the configuration's names; a value that is no number, or no share, says so
// instead.
void keep(const CounterConfig& config, std::span<const double> values, LayerReadings& readings) {
    std::size_t first = 0;
    for (const CounterMetric* metric : config.metrics) {
        const std::span<const char* const> names = metric->names();
        const double value = metric->in_column(values.subspan(first, names.size()));
        first += names.size();
        const std::string column(metric->column);
        if (!std::isfinite(value)) {
            readings.reasons[column] =
                listed(names) + " has no value here: nothing of what it counts happened";
        } else if (metric->measure != Measure::amount && value > max_share) {
            readings.reasons[column] = listed(names) + " came out above 100 %: the layer is too short for " +
                                       "counters that are read in different passes";
        } else {
            readings.*metric->value = value;
        }
    }
}

// Reads one set of counters of all layers.
void read_set(const CuptiLibrary& cupti, CUcontext context, const std::string& chip, CounterSet set,
              const std::vector<std::uint8_t>& availability, const std::function<void(int layer)>& run_layer,
              std::span<LayerReadings> readings) {
    CounterConfig config = counter_config(cupti, chip, set, availability.data());
    for (LayerReadings& layer : readings) layer.reasons.insert(config.reasons.begin(), config.reasons.end());
    if (config.metrics.empty()) return;
    RangeSession session(cupti, context, config, readings.size());
    std::size_t passes = 0;
    while (!session.run_pass(readings.size(), run_layer)) {
        if (++passes > config.passes) {
            throw CuptiFailure("CUPTI asks for more passes than it announced; see docs/gpu.md");
        }
    }
    session.decode();
    const ProfilerHost host(cupti, chip, availability.data());
    for (std::size_t range = 0; range < session.ranges(); ++range) {
        const int layer = session.layer_of(range);
        if (layer < 0 || layer >= static_cast<int>(readings.size())) continue;
        keep(config, session.values(host, range, config), readings[static_cast<std::size_t>(layer)]);
    }
}

}  // namespace

void no_counters(const InstrumentOptions& options, const std::string& reason,
                 std::span<LayerReadings> readings) {
    const std::span<const CounterSet> wanted = counter_sets(options);
    for (const CounterMetric& metric : counter_metrics()) {
        if (std::find(wanted.begin(), wanted.end(), metric.set) == wanted.end()) continue;
        for (LayerReadings& layer : readings) {
            if (!(layer.*metric.value)) layer.reasons.try_emplace(std::string(metric.column), reason);
        }
    }
}

void read_counters(const CuptiLibrary& cupti, CUcontext context, CUdevice device,
                   const InstrumentOptions& options, const std::function<void(int layer)>& run_layer,
                   std::span<LayerReadings> readings) {
    if (!cupti.usable()) return no_counters(options, cupti.reason, readings);
    try {
        initialize_profiler(cupti, device);
        const std::string chip = chip_name(cupti, device);
        const std::vector<std::uint8_t> availability = counter_availability(cupti, context);
        for (const CounterSet set : counter_sets(options)) {
            read_set(cupti, context, chip, set, availability, run_layer, readings);
        }
        no_counters(options, "CUPTI dropped the range of this layer", readings);
    } catch (const CuptiFailure& failure) {
        no_counters(options, failure.what(), readings);
    }
}

}  // namespace hacscale::cupti
