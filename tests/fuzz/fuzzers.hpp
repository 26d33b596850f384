// The fuzzers, one a kind of input. Each takes any bytes and returns, or throws what is no InputError where the readers have a fault.
#pragma once

#include <string_view>

namespace hacscale::fuzzing {

void fuzz_gain(std::string_view bytes);         // sensitivity and importance files
void fuzz_gpu_profile(std::string_view bytes);  // JSON
void fuzz_import(
    std::string_view bytes);  // rows that other programs measured: CSV, JSON, pickles, trtexec's files
void fuzz_model(std::string_view bytes);  // a network with stages, YAML
void fuzz_onnx(std::string_view bytes);
void fuzz_plan(std::string_view bytes);         // a training plan, YAML
void fuzz_recipe(std::string_view bytes);       // YAML
void fuzz_records(std::string_view bytes);      // what a run's folder holds, JSON
void fuzz_safetensors(std::string_view bytes);  // weights and input samples
void fuzz_scores(std::string_view bytes);       // scores of channels and blocks, JSON
void fuzz_suite(std::string_view bytes);        // YAML
void fuzz_table(std::string_view bytes);        // a latency table, SQLite

}  // namespace hacscale::fuzzing
