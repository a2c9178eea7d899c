// MemoryVoteLog: a VoteLog in memory, in the same bytes as on disk, with crashes and damage on
// command.
//
// Why      The simulator's and the tests' vote log: every way in which a disk can leave a log
//          behind can be made, byte by byte.
// Holds    append() is durable when it returns: crash() loses nothing of it. tear_next_append()
//          makes the next append a crash in its middle: it fails and leaves a torn tail.
// Errors   io (injected, read-only, full; after a failed append every other until reopen()), limit.
// Cost     As the file: one hash of what is appended.
#pragma once

#include "store/vote_log_format.hpp"

namespace creto {

struct VoteLogFaults {
    std::uint64_t fail_appends = 0;  ///< So many appends fail with io and leave nothing behind.
    bool read_only = false;
    std::size_t capacity_bytes = ~std::size_t{0};
};

class MemoryVoteLog final : public VoteLog {
public:
    /// `salt` stands for the file's own; any number will do.
    explicit MemoryVoteLog(std::uint64_t salt = 0);

    [[nodiscard]] Result<void> append(const std::vector<Bytes>& records) override;
    [[nodiscard]] Result<VoteLogContents> read() const override;
    [[nodiscard]] Result<void> compact(const std::vector<Bytes>& keep) override;
    [[nodiscard]] std::size_t size_bytes() const override { return file_.size(); }

    VoteLogFaults& faults() { return faults_; }
    /// The next append writes only its first `bytes` bytes and fails.
    void tear_next_append(std::size_t bytes) { tear_at_ = bytes; }
    /// The process starts again on what is there: verifies it and cuts a torn tail.
    void reopen();
    /// Power is lost and comes back. Whatever was acknowledged is still there.
    void crash() { reopen(); }
    /// The file is gone. If this log was ever appended to it is then not intact.
    void lose();
    /// The whole disk is gone, the store with it: a new node.
    void erase();

    /// One bit of a byte changes; call reopen() to see what a restarted node sees. False: no such
    /// byte.
    bool flip(std::size_t byte);
    /// The file ends here.
    void truncate(std::size_t bytes);
    [[nodiscard]] const Bytes& file() const { return file_; }

private:
    /// Why the disk would refuse so many bytes; null: it would not.
    [[nodiscard]] const char* refusal(std::size_t bytes) const;
    [[nodiscard]] Result<void> admit(std::size_t bytes);
    void begin_anew(vote_log::NewLog log);

    std::uint64_t salt_ = 0;
    std::uint64_t next_sequence_ = 1;
    Bytes file_;
    bool voted_ = false;  ///< What the marker in the store says in a real process.
    bool intact_ = true;
    bool failed_ = false;
    std::optional<std::size_t> tear_at_;
    VoteLogFaults faults_;
};

}  // namespace creto
