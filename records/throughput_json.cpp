#include "records/throughput_json.hpp"

namespace hacscale::cli {

double images_per_s(int batch, double latency_us) {
    return batch * 1e6 / latency_us;
}

void add_throughput(Json& json, int batch, const std::optional<double>& latency_us,
                    const UpperPercentiles& upper) {
    json["images_per_s"] = latency_us ? Json(images_per_s(batch, *latency_us)) : Json(nullptr);
    json["p95_us"] = value_or_null(upper.p95);
    json["p99_us"] = value_or_null(upper.p99);
    json["passes"] = upper.samples;
    json["percentiles_reason"] = upper.reason;
}

UpperPercentiles percentiles_in(const Json& json) {
    if (!json.contains("passes")) {
        return {};
    }
    return {json.at("passes"), value_in<double>(json, "p95_us"), value_in<double>(json, "p99_us"),
            json.at("percentiles_reason")};
}

}  // namespace hacscale::cli
