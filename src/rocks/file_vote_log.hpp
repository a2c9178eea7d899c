// FileVoteLog: the VoteLog of a real node, an append-only file.
//
// Why      A vote must be on the disk before anyone sees it, as fast as the disk can: one write
// into
//          space that was allocated ahead, and one fdatasync.
// Holds    append(): durable when it returns. A new file (first, compacted, or begun anew after
//          damage) is written beside the old one, synced, renamed over it, and the folder synced:
//          a crash leaves the old or the new one. After a failed append every other is refused,
//          since what the disk holds is then unknown: start again.
//          open() cuts off a torn tail, and never touches a damaged log; append() sets it aside as
//          NAME.damaged-N. One process at a time (NAME.lock).
// Format   store/vote_log_format.hpp.
// Errors   io with what to do; conflict when another process uses it; limit for too large a log.
// Cost     One pwrite and one fdatasync for each append.
#pragma once

#include <memory>

#include "rocks/file.hpp"
#include "store/store.hpp"

namespace creto {

struct VoteLogOptions {
    std::string path;
    /// This node has voted before (keys::voted()): a missing log is then damage, not a new node.
    bool must_exist = false;
    std::size_t step_bytes = 4 * 1024 * 1024;  ///< Space is allocated in steps of this size.
    /// Over it appends are refused: the host should have compacted long before.
    std::size_t bytes_max = 256 * 1024 * 1024;
};

class FileVoteLog final : public VoteLog {
public:
    [[nodiscard]] static Result<std::unique_ptr<FileVoteLog>> open(VoteLogOptions options);

    [[nodiscard]] Result<void> append(const std::vector<Bytes>& records) override;
    /// Reads the file again. Errors: io; damage is no error but `intact` = false.
    [[nodiscard]] Result<VoteLogContents> read() const override;
    [[nodiscard]] Result<void> compact(const std::vector<Bytes>& keep) override;
    [[nodiscard]] std::size_t size_bytes() const override { return end_; }

    /// Bytes of a torn tail that open() cut off.
    [[nodiscard]] std::size_t torn_bytes() const { return torn_bytes_; }

private:
    explicit FileVoteLog(VoteLogOptions options) : options_{std::move(options)} {}

    [[nodiscard]] Result<void> lock();
    [[nodiscard]] Result<void> open_existing();
    [[nodiscard]] Result<void> set_aside() const;
    /// A new file with these records takes the place of the old one.
    [[nodiscard]] Result<void> replace(const std::vector<Bytes>& records);
    [[nodiscard]] Result<void> append_frame(ByteView frame);
    [[nodiscard]] Error refused() const;
    /// Hands the outcome on; a failure of the disk closes the log for appends.
    Result<void> noting(Result<void> outcome);

    VoteLogOptions options_;
    File lock_file_;
    File file_;
    std::uint64_t salt_ = 0;
    std::uint64_t next_sequence_ = 1;
    std::size_t end_ = 0;        ///< Where the next frame goes.
    std::size_t allocated_ = 0;  ///< The file's length; zeros from `end_` on.
    std::size_t torn_bytes_ = 0;
    bool intact_ = true;
    bool failed_ = false;
};

}  // namespace creto
