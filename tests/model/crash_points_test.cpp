// Crash points: the same run again and again, and each time power fails one step later.
//
// Every step is tried: before and after each write of the store, each append to the vote log, each
// sync and each send; at every seat, at all seats at once; and with disks that lost what was never
// synced, or kept it. Whatever happens, no seat contradicts itself, nothing that was handed out as
// final changes, and the network goes on, the seat that fell with it.
#include <gtest/gtest.h>

#include "model/crash_run.hpp"
#include "store/vote_log_format.hpp"

namespace creto::model_check {
namespace {

constexpr std::size_t heights = 6;
constexpr std::size_t heights_after = 2;
constexpr Duration patience = Duration::from_s(20);

struct Shape {
    std::optional<Index> absent;
    Loss loss = Loss::unsynced;
};

/// All seats present, and with a view that is given up because its leader never came.
const std::vector<Shape> shapes{
    {std::nullopt, Loss::unsynced},
    {std::nullopt, Loss::nothing},
    {Index{1}, Loss::unsynced},
};

std::vector<std::uint64_t> steps_of_a_quiet_run(World& world, const Shape& shape) {
    CrashRun run{world, shape.absent};
    EXPECT_TRUE(run.run_until(patience, [&] { return run.reached(heights); })) << run.broken();
    std::vector<std::uint64_t> steps;
    for (Index i = 0; i < 4; ++i)
        steps.push_back(i == shape.absent ? 0 : run.machine(i).points());
    return steps;
}

bool goes_on(CrashRun& run) {
    const std::size_t goal = std::max(run.highest(), heights) + heights_after;
    return run.run_until(patience, [&] { return run.reached(goal); });
}

/// A frame that was cut anywhere is a torn tail: the log before it, and nothing to worry about.
void expect_torn_anywhere_is_harmless(const Machine& machine) {
    if (machine.under_way().empty() || machine.under_way().front().votes.empty()) return;
    Bytes log = vote_log::header(7);
    std::uint64_t sequence = 1;
    for (const auto& records : machine.disk().appends()) {
        const Bytes frame = vote_log::frame(7, sequence++, records).value();
        log.insert(log.end(), frame.begin(), frame.end());
    }
    const Bytes torn = vote_log::frame(7, sequence, machine.under_way().front().votes).value();
    const std::vector<Bytes> whole = machine.disk().votes().records;
    for (std::size_t cut = 0; cut < torn.size(); ++cut) {
        const auto parsed = vote_log::parse(log);
        ASSERT_TRUE(parsed.contents.intact) << "cut after " << cut << " bytes";
        ASSERT_EQ(parsed.contents.records, whole) << "cut after " << cut << " bytes";
        log.push_back(torn[cut]);
    }
}

TEST(CrashPoints, PowerFailsAtEachStepOfEachSeat) {
    World world;
    std::uint64_t runs = 0;
    for (const Shape& shape : shapes) {
        const auto steps = steps_of_a_quiet_run(world, shape);
        for (Index seat = 0; seat < 4; ++seat) {
            for (std::uint64_t step = 0; step < steps[seat]; ++step) {
                CrashRun run{world, shape.absent};
                run.loss = shape.loss;
                run.before_return = expect_torn_anywhere_is_harmless;
                run.fuse(seat, step);
                ASSERT_TRUE(goes_on(run))
                    << "seat " << seat << ", step " << step << ": " << run.broken();
                ++runs;
            }
        }
    }
    EXPECT_GT(runs, 500U);
    RecordProperty("runs", static_cast<int>(runs));
}

TEST(CrashPoints, PowerFailsAtOneSeatAndAgainWhileItReturns) {
    World world;
    const auto steps = steps_of_a_quiet_run(world, shapes[0]);
    for (Index seat = 0; seat < 2; ++seat) {
        for (std::uint64_t step = 0; step < steps[seat]; step += 3) {
            CrashRun run{world};
            run.fuse(seat, step);
            std::uint64_t again = 0;
            run.before_return = [&](Machine& machine) {
                if (again < 4) machine.fuse(std::nullopt, again++);
            };
            ASSERT_TRUE(goes_on(run))
                << "seat " << seat << ", step " << step << ": " << run.broken();
        }
    }
}

enum class UnderWay : std::uint8_t { lost, blocks_only, done };

/// All seats at once: what was under way is lost, half done, or done and not acknowledged.
void everyone_falls(World& world, std::uint64_t event, UnderWay what, Loss loss) {
    CrashRun run{world};
    run.loss = loss;
    for (std::uint64_t i = 0; i < event; ++i)
        ASSERT_TRUE(run.step());
    run.before_return = [what](Machine& machine) {
        for (const Persist& batch : machine.under_way()) {
            if (what == UnderWay::lost) break;
            machine.disk().write(batch.writes, Durable::yes);
            if (what == UnderWay::blocks_only) break;
            machine.disk().append_votes(batch);
        }
    };
    run.all_dark();
    ASSERT_TRUE(goes_on(run)) << "after event " << event << ": " << run.broken();
}

// monorepo#4275: a network that was killed as a whole stayed one vote short for ever.
TEST(CrashPoints, PowerFailsEverywhereAtOnceAfterEachEvent) {
    World world;
    std::uint64_t events = 0;
    CrashRun quiet{world};
    while (!quiet.reached(heights) && quiet.step())
        ++events;
    ASSERT_GT(events, 100U);
    for (std::uint64_t event = 1; event < events; ++event) {
        for (const UnderWay what : {UnderWay::lost, UnderWay::blocks_only, UnderWay::done}) {
            for (const Loss loss : {Loss::unsynced, Loss::nothing}) {
                everyone_falls(world, event, what, loss);
                if (HasFatalFailure()) return;
            }
        }
    }
}

// The store is gone, the vote log is not: the votes are what must not be lost.
TEST(CrashPoints, AWipedStoreWithItsVoteLogNeverVotesTwice) {
    World world;
    const auto steps = steps_of_a_quiet_run(world, shapes[0]);
    for (Index seat = 0; seat < 4; ++seat) {
        for (std::uint64_t step = 0; step < steps[seat]; ++step) {
            CrashRun run{world};
            run.before_return = [](Machine& machine) { machine.disk().wipe_store(); };
            run.fuse(seat, step);
            ASSERT_TRUE(goes_on(run))
                << "seat " << seat << ", step " << step << ": " << run.broken();
        }
    }
}

// The store of an earlier moment under today's vote log, as after a restored backup.
TEST(CrashPoints, ARolledBackStoreWithItsVoteLogNeverVotesTwice) {
    World world;
    const auto steps = steps_of_a_quiet_run(world, shapes[0]);
    const Index seat = 1;
    std::vector<Disk> snapshots;
    {
        CrashRun run{world};
        std::uint64_t known = 0;
        while (!run.reached(heights) && run.step()) {
            const std::uint64_t appends = run.machine(seat).disk().appends().size();
            if (std::exchange(known, appends) != appends)
                snapshots.push_back(run.machine(seat).disk());
        }
    }
    ASSERT_GE(snapshots.size(), 3U);
    for (std::uint64_t step = 0; step < steps[seat]; ++step) {
        for (const Disk& snapshot : snapshots) {
            CrashRun run{world};
            bool later = false;
            run.before_return = [&](Machine& machine) {
                later = snapshot.appends().size() > machine.disk().appends().size();
                if (!later) machine.disk().replace_store(snapshot);
            };
            run.fuse(seat, step);
            ASSERT_TRUE(goes_on(run)) << "step " << step << ": " << run.broken();
            if (later) break;  // Not a moment of the past.
        }
    }
}

// Store and log are gone: nothing local can tell. The seat counts among those that may lie; the
// others agree and go on.
TEST(CrashPoints, AWipedSeatHarmsNobodyElse) {
    World world;
    const auto steps = steps_of_a_quiet_run(world, shapes[0]);
    for (Index seat = 0; seat < 4; ++seat) {
        for (std::uint64_t step = 0; step < steps[seat]; ++step) {
            CrashRun run{world};
            run.excuse(seat);
            run.before_return = [](Machine& machine) { machine.disk() = Disk{}; };
            run.fuse(seat, step);
            ASSERT_TRUE(goes_on(run))
                << "seat " << seat << ", step " << step << ": " << run.broken();
        }
    }
}

// The log of an earlier moment, with or without the store: the same.
TEST(CrashPoints, ARolledBackSeatHarmsNobodyElse) {
    World world;
    const auto steps = steps_of_a_quiet_run(world, shapes[0]);
    for (Index seat = 0; seat < 4; ++seat) {
        for (std::uint64_t step = 0; step < steps[seat]; ++step) {
            CrashRun run{world};
            run.excuse(seat);
            run.before_return = [](Machine& machine) { machine.disk().forget_last_append(); };
            run.fuse(seat, step);
            ASSERT_TRUE(goes_on(run))
                << "seat " << seat << ", step " << step << ": " << run.broken();
        }
    }
}

// A log that is missing although the store says that this seat has voted: it observes until it knows
// from the others how far it had come, and then says nothing that contradicts what it said before.
TEST(CrashPoints, ASeatWithoutItsVoteLogNeverContradictsItself) {
    World world;
    const auto steps = steps_of_a_quiet_run(world, shapes[0]);
    for (std::uint64_t step = 0; step < steps[2]; step += 2) {
        CrashRun run{world};
        run.excuse(2);
        std::set<VoteContent> before;
        run.before_return = [&](Machine& machine) {
            machine.disk().damage_votes();
            before = machine.said();
        };
        run.fuse(2, step);
        ASSERT_TRUE(goes_on(run)) << "step " << step << ": " << run.broken();
        ASSERT_TRUE(run.run_until(patience, [&] { return run.up(2); }));
        for (const VoteContent& now : run.machine(2).said()) {
            for (const VoteContent& then : before)
                EXPECT_FALSE(conflict(now, then)) << "step " << step;
        }
    }
}

}  // namespace
}  // namespace creto::model_check
