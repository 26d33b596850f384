// Training throughput, ours against a plain libtorch loop, loading and augmentation included in both:
//   training_speed DATA [ROUNDS [SECONDS]]
// Turns of SECONDS alternate; the ratio is the median of the rounds' ratios. The first steps of a turn, in
// which libtorch sets itself up for the shapes, do not count.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "bench/training/plain_loop.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "training/load_data_set.hpp"
#include "training/torch/compute.hpp"
#include "training/torch/training_run.hpp"

namespace hacscale::bench {
namespace {

constexpr int uncounted_steps = 5;
constexpr double us_per_s = 1e6;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

// Reads the clock after steps, from the uncounted ones on.
class Turn {
public:
    explicit Turn(double seconds) : seconds_(seconds) {}
    // True while the turn continues.
    bool step(std::int64_t images, double waited_s = 0.0) {
        const double now = now_us() / us_per_s;
        if (++steps_ <= uncounted_steps) {
            start_ = now;
            first_images_ = images;
            first_waited_ = waited_s;
            return true;
        }
        elapsed_ = now - start_;
        images_ = images - first_images_;
        waited_ = waited_s - first_waited_;
        return elapsed_ < seconds_;
    }
    double images_per_s() const { return static_cast<double>(images_) / elapsed_; }
    double wait_share() const { return waited_ / elapsed_; }

private:
    double seconds_;
    int steps_ = 0;
    double start_ = 0.0, elapsed_ = 0.0, waited_ = 0.0, first_waited_ = 0.0;
    std::int64_t images_ = 0, first_images_ = 0;
};

Turn our_turn(const TrainingRequest& request, training::ProcessGroup& group, double seconds) {
    Turn turn(seconds);
    bool going = true;
    training::TrainingRun run(request, group);
    TrainingEvents events;
    events.keep_going = [&] { return going; };
    events.progress = [&](const TrainingProgress& progress) {
        if (going) going = turn.step(progress.images, run.wait_seconds());
    };
    run.run(events);
    return turn;
}

void compare(const std::string& model, const Recipe& recipe, const std::filesystem::path& folder, int rounds,
             double seconds) {
    const at::Device cpu(at::kCPU);
    const int threads = training::prepare(cpu, 0);
    const auto group = training::open_process_group(cpu);
    const DataSet data = load_data_set(folder, {});
    TrainingRequest request;
    request.model = find_model(model);
    request.recipe = recipe;
    request.data = folder;
    // A turn ends before an epoch does, so that no checkpoint is written.
    request.checkpoint_folder =
        std::filesystem::temp_directory_path() / ("hacscale_training_speed_" + std::to_string(::getpid()));
    const Graph network = lower(request.model);
    std::vector<double> ours, plain, ratios, waits;
    for (int round = 0; round < rounds; ++round) {
        Turn theirs(seconds);
        const auto plain_turn = [&] {
            train_plainly(network, data, recipe.batch, threads,
                          [&](std::int64_t images) { return theirs.step(images); });
        };
        if (round % 2 == 0) plain_turn();
        const Turn mine = our_turn(request, *group, seconds);
        if (round % 2 == 1) plain_turn();
        ours.push_back(mine.images_per_s());
        waits.push_back(mine.wait_share());
        plain.push_back(theirs.images_per_s());
        ratios.push_back(ours.back() / plain.back());
    }
    std::printf(
        "%-24s %s  ours %7.0f images/s  plain libtorch %7.0f  ratio %.2f  waiting for images %.2f %%\n",
        model.c_str(), std::string(name_of(recipe.precision)).c_str(), median(ours), median(plain),
        median(ratios), 100.0 * median(waits));
    std::fflush(stdout);
}

int run(int count, char** arguments) {
    if (count < 2) {
        std::fprintf(stderr, "usage: training_speed DATA [ROUNDS [SECONDS]]\n");
        return 2;
    }
    const int rounds = count > 2 ? std::max(1, std::atoi(arguments[2])) : 5;
    const double seconds = count > 3 ? std::max(0.1, std::atof(arguments[3])) : 10.0;
    for (const char* model : {"resnet20-cifar", "mobilenetv2-0.35-cifar"}) {
        for (const TrainingPrecision precision : {TrainingPrecision::f32, TrainingPrecision::bf16}) {
            Recipe recipe = find_recipe("short");
            recipe.precision = precision;
            compare(model, recipe, arguments[1], rounds, seconds);
        }
    }
    return 0;
}

}  // namespace
}  // namespace hacscale::bench

int main(int count, char** arguments) {
    try {
        return hacscale::bench::run(count, arguments);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
