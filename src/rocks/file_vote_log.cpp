#include "rocks/file_vote_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <sys/random.h>

#include "store/vote_log_format.hpp"

namespace creto {

namespace {

/// The file may be longer than the log by what was allocated ahead.
std::size_t file_bytes_max(const VoteLogOptions& options) {
    return options.bytes_max + options.step_bytes + vote_log::payload_bytes_max;
}

std::size_t rounded_up(std::size_t size, std::size_t step) {
    return (size + step - 1) / step * step;
}

Result<std::uint64_t> new_salt() {
    std::uint64_t salt = 0;
    if (::getrandom(&salt, sizeof salt, 0) == sizeof salt) return salt;
    return fail(system_error("getrandom", "asking for random bytes", errno));
}

}  // namespace

Result<std::unique_ptr<FileVoteLog>> FileVoteLog::open(VoteLogOptions options) {
    options.step_bytes = std::max<std::size_t>(options.step_bytes, 4'096);
    std::unique_ptr<FileVoteLog> log{new FileVoteLog{std::move(options)}};
    if (auto locked = log->lock(); !locked) return tl::unexpected<Error>(locked.error());
    ::unlink((log->options_.path + ".new").c_str());  // Left behind by a crash before the rename.
    Result<void> opened;
    if (file_exists(log->options_.path)) {
        opened = log->open_existing();
    } else if (log->options_.must_exist) {
        log->intact_ = false;
    } else {
        opened = log->replace({});
    }
    if (!opened) return tl::unexpected<Error>(opened.error());
    return log;
}

Result<void> FileVoteLog::lock() {
    const std::string path = options_.path + ".lock";
    auto file = File::open(path, file_exists(path) ? File::Mode::write : File::Mode::create);
    if (!file) return tl::unexpected<Error>(file.error());
    lock_file_ = std::move(*file);
    const auto locked = lock_file_.try_lock();
    if (!locked) return tl::unexpected<Error>(locked.error());
    if (!*locked) {
        std::string owner;
        if (const auto text = lock_file_.read_all(64)) owner = std::string{as_text(*text)};
        return fail(
            ErrorCode::conflict,
            options_.path + ": another creto process uses this vote log" +
                (owner.empty() ? "" : " (pid " + owner + ")") +
                "; stop it, or choose another folder"
        );
    }
    // The owner's pid is for people only: a full disk must not keep a node from reading its log.
    if (lock_file_.truncate(0))
        (void)lock_file_.write_all(0, as_bytes(std::to_string(::getpid()))).has_value();
    return {};
}

Result<void> FileVoteLog::open_existing() {
    auto file = File::open(options_.path, File::Mode::write);
    if (!file) return tl::unexpected<Error>(file.error());
    const auto bytes = file->read_all(file_bytes_max(options_));
    if (!bytes) return tl::unexpected<Error>(bytes.error());
    const vote_log::Parsed parsed = vote_log::parse(*bytes);
    intact_ = parsed.contents.intact;
    if (!intact_) return {};
    file_ = std::move(*file);
    salt_ = parsed.salt;
    next_sequence_ = parsed.next_sequence;
    end_ = parsed.valid_bytes;
    allocated_ = bytes->size();
    torn_bytes_ = parsed.torn_bytes;
    if (torn_bytes_ > 0) {
        if (auto cut = file_.truncate(end_); !cut) return cut;
        allocated_ = end_;
    }
    // The process before us may have died between its write and its sync; what we go on to trust
    // must be on the disk.
    return file_.sync_data();
}

Error FileVoteLog::refused() const {
    return {
        ErrorCode::io,
        options_.path + ": an earlier append failed, so nothing more is appended; start again"};
}

Result<void> FileVoteLog::noting(Result<void> outcome) {
    if (!outcome && outcome.error().code != ErrorCode::limit) failed_ = true;
    return outcome;
}

Result<void> FileVoteLog::append(const std::vector<Bytes>& records) {
    if (failed_) return creto::fail(refused());
    if (records.empty()) return {};
    if (!intact_) return compact(records);
    const auto frame = vote_log::frame(salt_, next_sequence_, records);
    if (!frame) return tl::unexpected<Error>(frame.error());
    if (frame->size() > options_.bytes_max || end_ > options_.bytes_max - frame->size()) {
        return fail(
            ErrorCode::limit,
            options_.path + ": the vote log has " + std::to_string(end_) +
                " bytes and may not pass " + std::to_string(options_.bytes_max) + "; compact it"
        );
    }
    return noting(append_frame(*frame));
}

Result<void> FileVoteLog::append_frame(ByteView frame) {
    const std::size_t end = end_ + frame.size();
    if (end > allocated_) {
        const std::size_t size = rounded_up(end, options_.step_bytes);
        if (auto grown = file_.allocate(allocated_, size); !grown) return grown;
        allocated_ = size;
    }
    if (auto written = file_.write_all(end_, frame); !written) return written;
    if (auto synced = file_.sync_data(); !synced) return synced;
    end_ = end;
    ++next_sequence_;
    return {};
}

Result<VoteLogContents> FileVoteLog::read() const {
    if (!intact_ && !file_exists(options_.path)) {
        VoteLogContents missing;
        missing.intact = false;
        missing.damage = options_.path + ": the log is missing although this node has voted";
        return missing;
    }
    const auto file = File::open(options_.path, File::Mode::read);
    if (!file) return tl::unexpected<Error>(file.error());
    const auto bytes = file->read_all(file_bytes_max(options_));
    if (!bytes) return tl::unexpected<Error>(bytes.error());
    VoteLogContents contents = vote_log::parse(*bytes).contents;
    if (!contents.intact) contents.damage = options_.path + ": " + contents.damage;
    return contents;
}

Result<void> FileVoteLog::compact(const std::vector<Bytes>& keep) {
    if (failed_) return creto::fail(refused());
    if (!intact_) {
        if (auto kept = set_aside(); !kept) return noting(kept);
    }
    return noting(replace(keep));
}

Result<void> FileVoteLog::set_aside() const {
    if (!file_exists(options_.path)) return {};
    // A second name for the damaged file: the first is replaced in one step, so that at no time
    // there is no log.
    for (int n = 1;; ++n) {
        const std::string aside = options_.path + ".damaged-" + std::to_string(n);
        if (::link(options_.path.c_str(), aside.c_str()) == 0) return {};
        if (errno != EEXIST)
            return fail(system_error(aside, "setting the damaged log aside", errno));
    }
}

Result<void> FileVoteLog::replace(const std::vector<Bytes>& records) {
    const auto salt = new_salt();
    if (!salt) return tl::unexpected<Error>(salt.error());
    const auto log = vote_log::begin(*salt, records);
    if (!log) return tl::unexpected<Error>(log.error());
    const std::size_t size = rounded_up(log->bytes.size(), options_.step_bytes);
    const std::string path = options_.path + ".new";
    const auto written = [&]() -> Result<File> {
        auto file = File::open(path, File::Mode::create);
        if (!file) return file;
        Result<void> done = file->allocate(0, size);
        if (done) done = file->write_all(0, log->bytes);
        if (done) done = file->sync();
        if (done) done = rename_durably(path, options_.path);
        if (!done) return tl::unexpected<Error>(done.error());
        return file;
    };
    auto file = written();
    if (!file) {
        ::unlink(path.c_str());
        return tl::unexpected<Error>(file.error());
    }
    file_ = std::move(*file);
    file_.moved_to(options_.path);
    salt_ = *salt;
    next_sequence_ = log->next_sequence;
    end_ = log->bytes.size();
    allocated_ = size;
    intact_ = true;
    return {};
}

}  // namespace creto
