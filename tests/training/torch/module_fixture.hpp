// The training module, opened once a test program; tests skip, and say why, where it was not built.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "training/trainer_module.hpp"

namespace hacscale {

inline const LoadedTrainer& loaded_trainer() {
    static const LoadedTrainer loaded = load_trainer();
    return loaded;
}

class TrainerModuleTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (loaded_trainer().trainer) return;
        std::string reasons;
        for (const TrainerLoadAttempt& attempt : loaded_trainer().attempts) {
            reasons.append(" ").append(attempt.path.string()).append(": ").append(attempt.reason);
        }
        GTEST_SKIP() << "the training module is not here:" << reasons;
    }
    static Trainer& trainer() { return *loaded_trainer().trainer; }
};

}  // namespace hacscale
