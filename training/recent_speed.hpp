// How fast a training is now, and how long it will take. Over the epoch that it is in and the one before: other work may have slowed
// earlier ones, and a day's average says little about the next hour.
#pragma once

#include <algorithm>

namespace hacscale::training {

// Since the process began with the run.
struct TrainingSpent {
    double images = 0.0;
    double step_seconds = 0.0;  // of forward and backward passes, and the waiting for images
    double seconds = 0.0;       // of everything, validation too
};

class RecentSpeed {
public:
    void begin_epoch(const TrainingSpent& now) {
        since_ = last_epoch_;
        last_epoch_ = now;
    }

    double images_per_s(const TrainingSpent& now) const {
        return rate(now.images - since_.images, now.step_seconds - since_.step_seconds);
    }
    double seconds_left(double images_left, const TrainingSpent& now) const {
        return images_left / rate(now.images - since_.images, now.seconds - since_.seconds);
    }

private:
    static double rate(double images, double seconds) {
        constexpr double least = 1e-9;
        return std::max(least, images / std::max(least, seconds));
    }

    TrainingSpent since_;
    TrainingSpent last_epoch_;
};

}  // namespace hacscale::training
