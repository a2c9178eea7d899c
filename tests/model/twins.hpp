// Twins: one seat runs twice with the same key, each copy honest by itself, under every partition.
//
// Why      Two honest copies of one seat make all the faults that matter (two proposals, two votes,
//          amnesia) without a liar having to be written.
// Source   Twins (Bano et al. 2020), made for LibraBFT. There leaders are drawn for each round; here
//          they are a function of the view, so that the twin's seat is drawn instead.
// Model    Five machines, one clock. A case is a list of phases: how the five are cut into groups,
//          for how many hops messages travel, whether patience ends then, and whether what a cut
//          stopped arrives later or never. After the last phase everything is connected.
// Holds    Honest seats agree, none halts or is dropped, and all finalise something new after the
//          cuts. The twins do not stop each other: a vote with their own key that they do not know
//          is kept from them, or they would halt, as a seat does whose key is used twice.
#pragma once

#include <vector>

#include "base/prng.hpp"
#include "model/machine.hpp"

namespace creto::model_check {

inline constexpr Index twin_instances = 5;

struct TwinPhase {
    std::uint8_t cut = 0;  ///< A number of partitions().
    std::uint8_t hops = 3;
    bool patience_ends = false;
    bool late = false;  ///< What the cut stopped arrives in the next phase.
};

struct TwinCase {
    Index twin = 0;  ///< The seat that runs twice: machines `twin` and 4.
    std::vector<TwinPhase> phases;
};

using Partition = std::array<std::uint8_t, twin_instances>;  ///< The group of each machine.

/// The ways to cut machines 0 to 4 into at most three groups, of which one is kept of any two that
/// differ by swapping the twins.
[[nodiscard]] std::vector<Partition> partitions(Index twin);

/// Even numbers: every case of two phases, in order. Odd numbers, and all after those: cases of three
/// to seven phases, by the seed.
class TwinCases {
public:
    explicit TwinCases(std::uint64_t seed);
    [[nodiscard]] TwinCase at(std::uint64_t number) const;
    [[nodiscard]] std::uint64_t enumerated() const { return enumerated_; }
    [[nodiscard]] const Partition& partition(Index twin, std::uint8_t cut) const {
        return cuts_[twin][cut];
    }

private:
    std::uint64_t seed_;
    std::vector<std::vector<Partition>> cuts_;  ///< By twin.
    std::uint64_t per_twin_ = 0;
    std::uint64_t enumerated_ = 0;
};

class TwinRun {
public:
    TwinRun(World& world, const TwinCases& cases, const TwinCase& wanted);
    /// Empty, or what was broken.
    [[nodiscard]] std::string run();
    [[nodiscard]] std::uint64_t deliveries() const { return deliveries_; }
    [[nodiscard]] std::size_t final_blocks() const;
    /// Views in which the twins were seen to vote for two different things.
    [[nodiscard]] bool equivocated() const;

private:
    struct Flying {
        std::uint8_t from = 0;
        std::uint8_t to = 0;
        std::shared_ptr<const Message> message;
    };

    [[nodiscard]] bool is_twin(Index machine) const { return machine == twin_ || machine == 4; }
    [[nodiscard]] Index seat(Index machine) const { return machine == 4 ? twin_ : machine; }
    [[nodiscard]] bool hidden(Index to, const Message& message) const;
    void collect(Index machine);
    void hop(const Partition& groups, bool keep);
    void tick_all();
    [[nodiscard]] std::string check() const;
    [[nodiscard]] std::string heal();

    World& world_;
    const TwinCases& cases_;
    const TwinCase& case_;
    Index twin_;
    std::vector<std::unique_ptr<Machine>> machines_;
    std::vector<Flying> flying_;
    std::vector<Flying> later_;
    Instant now_ = Instant::from_ns(1);
    std::uint64_t deliveries_ = 0;
};

}  // namespace creto::model_check
