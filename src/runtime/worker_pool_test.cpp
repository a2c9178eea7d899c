#include "runtime/worker_pool.hpp"

#include <gtest/gtest.h>
#include <string>

#include "runtime/tool_runner.hpp"
#include "tools/builtins.hpp"

namespace creto {
namespace {

constexpr auto pool_patience = std::chrono::seconds{20};

AgentId caller(std::uint8_t n) {
    std::array<std::uint8_t, AgentId::size> bytes{};
    bytes.fill(n);
    return AgentId{bytes};
}

/// What tasks wrote, and a gate that they can wait at.
class Notes {
public:
    void add(char letter) {
        const std::lock_guard lock{mutex_};
        text_ += letter;
        changed_.notify_all();
    }
    void pass_gate() {
        std::unique_lock lock{mutex_};
        ++at_gate_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return open_; });
    }
    void open_gate() {
        const std::lock_guard lock{mutex_};
        open_ = true;
        changed_.notify_all();
    }
    bool wait_at_gate(int count) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, pool_patience, [&] { return at_gate_ >= count; });
    }
    bool wait_for(std::size_t letters) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, pool_patience, [&] { return text_.size() >= letters; });
    }
    std::string text() {
        const std::lock_guard lock{mutex_};
        return text_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::string text_;
    int at_gate_ = 0;
    bool open_ = false;
};

// [FLOOD-FAIR.1]
TEST(WorkerPool, AnothersTaskWaitsForOneOfTheFloodAtMost) {
    Notes notes;
    WorkerPool pool{1};
    pool.post(caller(1), [&] { notes.pass_gate(); });
    ASSERT_TRUE(notes.wait_at_gate(1));
    for (int i = 0; i < 1'000; ++i)
        pool.post(caller(1), [&] { notes.add('f'); });
    pool.post(caller(2), [&] { notes.add('v'); });
    notes.open_gate();
    ASSERT_TRUE(notes.wait_for(1'001));
    EXPECT_LE(notes.text().find('v'), 1U);
}

// [FLOOD-FAIR.1]
TEST(WorkerPool, NoCallerHasAllThreads) {
    Notes notes;
    WorkerPool pool{3};
    for (int i = 0; i < 10; ++i)
        pool.post(caller(1), [&] { notes.pass_gate(); });
    ASSERT_TRUE(notes.wait_at_gate(2));
    pool.post(caller(2), [&] { notes.add('v'); });
    EXPECT_TRUE(notes.wait_for(1)) << "a thread is left for others";
    EXPECT_EQ(pool.waiting(), 8U);
    notes.open_gate();
    EXPECT_TRUE(notes.wait_at_gate(10));
}

TEST(WorkerPool, WhatWaitsCanBeTakenBackAndWhatRunsCannot) {
    Notes notes;
    WorkerPool pool{1};
    pool.post(
        caller(1), [&] { notes.pass_gate(); }, 1
    );
    ASSERT_TRUE(notes.wait_at_gate(1));
    pool.post(
        caller(1), [&] { notes.add('x'); }, 2
    );
    pool.post(
        caller(1), [&] { notes.add('y'); }, 3
    );
    EXPECT_FALSE(pool.take_back(caller(1), 1));
    EXPECT_TRUE(pool.take_back(caller(1), 2));
    EXPECT_FALSE(pool.take_back(caller(1), 2));
    EXPECT_FALSE(pool.take_back(caller(2), 3)) << "another's";
    notes.open_gate();
    ASSERT_TRUE(notes.wait_for(1));
    EXPECT_EQ(notes.text(), "y");
}

TEST(WorkerPool, TheNewestOfWhoeverHasMostIsCrowdedOut) {
    Notes notes;
    WorkerPool pool{1};
    pool.post(caller(1), [&] { notes.pass_gate(); });
    ASSERT_TRUE(notes.wait_at_gate(1));
    EXPECT_FALSE(pool.crowd_out(caller(2))) << "nothing waits";
    for (std::uint64_t id = 1; id <= 3; ++id)
        pool.post(
            caller(1), [&] { notes.add('f'); }, id
        );
    pool.post(
        caller(2), [&] { notes.add('v'); }, 9
    );
    EXPECT_FALSE(pool.crowd_out(caller(1))) << "it has most itself";
    EXPECT_EQ(pool.crowd_out(caller(2)), 3U);
    notes.open_gate();
    ASSERT_TRUE(notes.wait_for(3));
    EXPECT_EQ(notes.text().size(), 3U);
}

/// A runner of one tool that waits at a gate, with what it has reported.
class Runner : public ::testing::Test {
protected:
    void make(std::size_t workers, std::size_t queue_max) {
        runner_.emplace(
            ToolRunner::Options{.workers = workers, .queue_max = queue_max},
            [this](Executed done) {
                const std::lock_guard lock{mutex_};
                done_.push_back(std::move(done));
                changed_.notify_all();
            },
            [this](ToolRunner::TakePieces take) {
                const std::lock_guard lock{mutex_};
                offers_.push_back(std::move(take));
                offered_before_done_ = done_.empty();
                changed_.notify_all();
            }
        );
        Registry registry;
        Contract contract;
        contract.name = "slow";
        contract.version = "1.0.0";
        contract.input = Json{true};
        contract.output = Json{true};
        auto tool =
            Tool::make(contract, "waits", [this](const Json& /*none*/, const ToolContext& /*now*/) {
                notes_.pass_gate();
                return Result<Json>{Json{1}};
            });
        contract.name = "telling";
        auto telling =
            Tool::make(contract, "shows", [this](const Json& /*none*/, const ToolContext& context) {
                EXPECT_TRUE(context.show(text_piece("a")));
                EXPECT_TRUE(context.show(text_piece("b")));
                notes_.pass_gate();
                for (int i = 0; i < 10'000; ++i)
                    shown_to_the_end_ = context.show(json_piece(Json{i}));
                return Result<Json>{Json{1}};
            });
        ASSERT_TRUE(registry.add(std::move(*telling)));
        ASSERT_TRUE(tool) << tool.error().message;
        ASSERT_TRUE(registry.add(std::move(*tool)));
        for (Tool& builtin : builtin_tools())
            ASSERT_TRUE(registry.add(std::move(builtin)));
        runner_->set_tools(registry.snapshot(), {"add"});
    }
    void TearDown() override {
        notes_.open_gate();
        runner_.reset();
    }
    std::optional<Executed> execute(std::uint8_t who, std::uint64_t ticket) {
        return runner_->execute(
            {Ticket{ticket}, "slow", {}, "{}", Duration::from_s(10), caller(who)}
        );
    }
    bool wait_for(std::size_t count) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, pool_patience, [&] { return done_.size() >= count; });
    }
    std::vector<Executed> done() {
        const std::lock_guard lock{mutex_};
        return done_;
    }

    Notes notes_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Executed> done_;
    std::vector<ToolRunner::TakePieces> offers_;
    bool offered_before_done_ = false;
    bool shown_to_the_end_ = false;
    std::optional<ToolRunner> runner_;
};

// [CALL-STREAM.3]
TEST_F(Runner, WhatARunShowsIsTakenInPiecesBoundedAndBeforeItEnds) {
    make(1, 10);
    const auto run = [&](std::uint64_t ticket, bool shows) {
        return runner_->execute(
            {Ticket{ticket}, "telling", {}, "{}", Duration::from_s(10), caller(1), shows}
        );
    };
    EXPECT_FALSE(run(1, true));
    ASSERT_TRUE(notes_.wait_at_gate(1));
    {
        const std::lock_guard lock{mutex_};
        ASSERT_EQ(offers_.size(), 1U) << "once, until it is taken";
    }
    const Emitted first = offers_[0]();
    EXPECT_EQ(first.ticket, Ticket{1});
    ASSERT_EQ(first.pieces.size(), 1U);
    EXPECT_EQ(first.pieces[0].text, "ab");
    notes_.open_gate();
    ASSERT_TRUE(wait_for(1));
    ASSERT_EQ(offers_.size(), 2U);
    EXPECT_TRUE(offered_before_done_);
    const Emitted rest = offers_[1]();
    std::size_t held = 0;
    for (const Piece& piece : rest.pieces)
        held += cost_of(piece);
    EXPECT_LE(held, limits::stream_held_bytes);
    EXPECT_EQ(rest.pieces.size() + rest.lost, 10'000U);
    EXPECT_EQ(rest.pieces.at(1).text, "1") << "what was there first stays";
    EXPECT_EQ(done().at(0).status, CallAnswer::Status::result);
    // Nobody wants to see it.
    EXPECT_FALSE(run(2, false));
    ASSERT_TRUE(wait_for(2));
    EXPECT_EQ(offers_.size(), 2U);
    EXPECT_TRUE(shown_to_the_end_);
}

TEST_F(Runner, ARunThatWasCancelledIsToldWhenItShowsSomething) {
    make(1, 10);
    EXPECT_FALSE(
        runner_->execute({Ticket{1}, "telling", {}, "{}", Duration::from_s(10), caller(1), true})
    );
    ASSERT_TRUE(notes_.wait_at_gate(1));
    runner_->cancel(Ticket{1});
    notes_.open_gate();
    ASSERT_TRUE(wait_for(1));
    EXPECT_FALSE(shown_to_the_end_);
    EXPECT_EQ(done().at(0).status, CallAnswer::Status::cancelled);
}

TEST_F(Runner, AQuickToolIsDoneAtOnceAndSaysWhatItTook) {
    make(1, 10);
    const auto done =
        runner_->execute({Ticket{1}, "add", {}, R"({"a":1,"b":2})", Duration::from_s(1), caller(1)}
        );
    ASSERT_TRUE(done);
    EXPECT_EQ(done->text, "3");
    EXPECT_GT(done->took, Duration{});
}

TEST_F(Runner, OneRunMoreThanMayWaitTurnsAwayWhoHasMost) {
    make(1, 3);
    EXPECT_FALSE(execute(1, 1));
    ASSERT_TRUE(notes_.wait_at_gate(1));
    for (std::uint64_t ticket = 2; ticket <= 4; ++ticket)
        EXPECT_FALSE(execute(1, ticket));
    EXPECT_FALSE(execute(1, 5));  // One over, of who has most himself.
    EXPECT_FALSE(execute(2, 6));  // One over, of another.
    ASSERT_EQ(done().size(), 2U);
    EXPECT_EQ(done()[0].ticket, Ticket{5});
    EXPECT_EQ(done()[0].status, CallAnswer::Status::overloaded);
    EXPECT_EQ(done()[1].ticket, Ticket{4});
    EXPECT_EQ(runner_->overloaded(), 2U);
    notes_.open_gate();
    ASSERT_TRUE(wait_for(6));
    for (const Executed& one : done()) {
        if (one.ticket != Ticket{6}) continue;
        EXPECT_EQ(one.status, CallAnswer::Status::result);
    }
}

TEST_F(Runner, WhatWaitsIsForgottenWhenItIsTakenBackAndWhatRunsIsCharged) {
    make(1, 10);
    EXPECT_FALSE(execute(1, 1));
    ASSERT_TRUE(notes_.wait_at_gate(1));
    EXPECT_FALSE(execute(1, 2));
    EXPECT_FALSE(execute(1, 3));
    runner_->cancel(Ticket{2});
    runner_->cancel(Ticket{1});
    runner_->cancel(Ticket{99});
    notes_.open_gate();
    ASSERT_TRUE(wait_for(2));
    const auto all = done();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].ticket, Ticket{1});
    EXPECT_EQ(all[0].status, CallAnswer::Status::cancelled);
    EXPECT_GT(all[0].took, Duration{});
    EXPECT_EQ(all[1].ticket, Ticket{3});
    EXPECT_EQ(all[1].status, CallAnswer::Status::result);
}

}  // namespace
}  // namespace creto
