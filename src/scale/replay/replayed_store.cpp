#include "scale/replay/replayed_store.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>

#include "rocks/fsck.hpp"
#include "store/commit.hpp"

namespace creto {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t keys_drawn_max = 4'096;
constexpr std::size_t overhead_bytes = 128;
constexpr auto meter_span = Duration::from_s(1);

/// How often this process asked the system to read or write so far.
std::optional<std::uint64_t> file_calls() {
    std::ifstream in{"/proc/self/io"};
    std::string name;
    std::uint64_t value = 0;
    std::uint64_t sum = 0;
    int found = 0;
    while (in >> name >> value) {
        if (name != "syscr:" && name != "syscw:") continue;
        sum += value;
        ++found;
    }
    return found == 2 ? std::optional{sum} : std::nullopt;
}

std::size_t bytes_of(const std::vector<KeyWrite>& writes) {
    std::size_t bytes = 0;
    for (const KeyWrite& write : writes)
        bytes += overhead_bytes + write.key.size() + (write.value ? (*write.value)->size() : 0);
    return bytes;
}

std::size_t bytes_of(const std::vector<Bytes>& records) {
    std::size_t bytes = 0;
    for (const Bytes& record : records)
        bytes += overhead_bytes + record.size();
    return bytes;
}

}  // namespace

ReplayedStore::ReplayedStore(Options options, ReplayFigures& figures)
    : options_{std::move(options)}, figures_{figures}, prng_{options_.seed} {
    if (auto opened = open(); !opened) fail_with(opened.error().message);
}

// --- what the run says ---

void ReplayedStore::push(Instant at, std::size_t bytes, decltype(Waiting::what) what) {
    last_ = at;
    waiting_bytes_ += bytes + overhead_bytes;
    waiting_.push_back({at, bytes + overhead_bytes, std::move(what)});
    if (waiting_bytes_ > options_.log_bytes_max) catch_up();
}

void ReplayedStore::on_write(const DiskWrite& write) {
    if (!failure_.empty()) return;
    // A damaged log begins anew with nothing.
    if (write.replaces_log && write.log_kept.empty())
        push(write.now, 0, Lost{{}, std::vector<Bytes>{}, false});
    const std::size_t bytes =
        bytes_of(write.writes) + bytes_of(write.records) + bytes_of(write.log_kept);
    push(
        write.now,
        bytes,
        Persist{Ticket{}, write.writes, write.records, write.durable, write.log_kept}
    );
}

void ReplayedStore::on_load(const Load& load, Instant now) {
    if (failure_.empty()) push(now, bytes_of(load.keys), load);
}

void ReplayedStore::on_scan(const Scan& scan, Instant now) {
    if (failure_.empty()) push(now, scan.from.size() + scan.to.size(), scan);
}

void ReplayedStore::on_crash(DiskLoss loss) {
    if (!failure_.empty()) return;
    Lost lost{std::move(loss.taken_back), {}, true};
    if (loss.log != nullptr) lost.log = *loss.log;
    const std::size_t bytes =
        bytes_of(lost.taken_back) + (lost.log ? bytes_of(*lost.log) : std::size_t{0});
    push(loss.now, bytes, std::move(lost));
}

void ReplayedStore::on_replaced(const SimDisk& disk) {
    if (!failure_.empty()) return;
    Replaced now{{}, disk.log()};
    for (const auto& [key, value] : disk.contents())
        now.writes.push_back({key.column(), key.bytes(), value});
    push(last_, bytes_of(now.writes) + bytes_of(now.log), std::move(now));
}

// --- what the real store is asked ---

void ReplayedStore::catch_up() {
    constexpr std::size_t ask_every = 16;
    if (!failure_.empty() || waiting_.empty()) return;
    calls_at_ = file_calls();
    for (std::size_t done = 1; !waiting_.empty() && failure_.empty(); ++done) {
        if (done % ask_every == 0 && !options_.goes_on()) return fail_with("the run was stopped");
        if (auto carried = carry_out_next(); !carried) fail_with(carried.error().message);
    }
    count_calls();
}

Result<void> ReplayedStore::carry_out_next() {
    Waiting& next = waiting_.front();
    figures_.last = std::max(figures_.last, next.at - Instant{});
    if (std::holds_alternative<Persist>(next.what)) return commit_group();
    Result<void> done;
    if (auto* one = std::get_if<Load>(&next.what)) {
        done = load(*one, next.at);
    } else if (auto* span = std::get_if<Scan>(&next.what)) {
        done = scan(*span);
    } else if (auto* lost = std::get_if<Lost>(&next.what)) {
        done = lose(std::move(*lost));
    } else {
        done = replace(std::move(std::get<Replaced>(next.what)));
    }
    pop();
    return done;
}

/// All that was given while the commit before was under way.
Result<void> ReplayedStore::commit_group() {
    const Instant at = waiting_.front().at;
    const Instant begin = std::max(at, free_);
    std::vector<Persist> group;
    Durable durable = Durable::no;
    std::uint64_t keys = 0;
    for (; !waiting_.empty() && waiting_.front().at <= begin; pop()) {
        Waiting& next = waiting_.front();
        figures_.last = std::max(figures_.last, next.at - Instant{});
        if (const auto* one = std::get_if<Load>(&next.what)) {
            if (auto loaded = load(*one, next.at); !loaded) return loaded;
            continue;
        }
        auto* persist = std::get_if<Persist>(&next.what);
        if (persist == nullptr) break;
        if (persist->durable == Durable::yes) durable = Durable::yes;
        keys += persist->writes.size();
        remember(persist->writes);
        group.push_back(std::move(*persist));
    }
    Result<void> done;
    const Duration took =
        timed([&] { done = commit(*folder_->store, *folder_->votes, std::move(group)); });
    if (!done) return done;
    free_ = begin + took;
    figures_.keys_written += keys;
    if (durable == Durable::yes) {
        ++figures_.commits;
        figures_.writes.add(at - Instant{}, took);
        figures_.write_us.add(took.us());
    }
    spend(took, keys);
    return read_drawn(at);
}

Result<bool> ReplayedStore::read(Column column, ByteView key, Instant at) {
    Result<std::optional<Bytes>> value;
    const Duration took = timed([&] { value = folder_->store->get(column, key); });
    if (!value) return tl::unexpected<Error>(value.error());
    ++figures_.keys_read;
    figures_.read_ns.add(took.ns());
    if (*value) figures_.reads.add(at - Instant{}, took);
    spend(took, 1);
    return value->has_value();
}

Result<void> ReplayedStore::load(const Load& load, Instant at) {
    for (const Bytes& key : load.keys)
        if (auto found = read(load.column, key, at); !found)
            return tl::unexpected<Error>(found.error());
    return {};
}

Result<void> ReplayedStore::scan(const Scan& scan) {
    std::uint64_t keys = 0;
    if (scan.count == 0) return {};
    Result<void> done;
    const Duration took = timed([&] {
        done = folder_->store->scan(
            scan.column,
            scan.from,
            scan.to,
            [&](ByteView /*key*/, ByteView /*value*/) { return ++keys < scan.count; }
        );
    });
    figures_.keys_read += keys;
    spend(took, keys);
    return done;
}

/// The newest writes are gone, and the node begins again on what is left.
Result<void> ReplayedStore::lose(Lost lost) {
    if (!lost.taken_back.empty())
        if (auto done = folder_->store->write(lost.taken_back, Durable::yes); !done) return done;
    if (lost.log)
        if (auto done = folder_->votes->compact(*lost.log); !done) return done;
    if (!lost.restarts) return {};
    ++figures_.restarts;
    shut();
    return open();
}

Result<void> ReplayedStore::replace(Replaced replaced) {
    shut();
    std::error_code failed;
    std::filesystem::remove_all(options_.dir, failed);
    if (failed) return fail(system_error(options_.dir, "emptying", failed.value()));
    drawn_.clear();
    keys_seen_ = 0;
    if (auto opened = open(); !opened) return opened;
    remember(replaced.writes);
    if (!replaced.writes.empty())
        if (auto done = folder_->store->write(replaced.writes, Durable::yes); !done) return done;
    if (replaced.log.empty()) return {};
    Persist votes{Ticket{}, {}, std::move(replaced.log), Durable::yes, {}};
    return commit(*folder_->store, *folder_->votes, {std::move(votes)});
}

/// Every key that was ever written is as likely.
void ReplayedStore::remember(const std::vector<KeyWrite>& writes) {
    for (const KeyWrite& write : writes) {
        if (!write.value) continue;
        const std::uint64_t place = scale_to(prng_.next(), ++keys_seen_);
        if (drawn_.size() < keys_drawn_max) {
            drawn_.push_back({write.column, write.key});
        } else if (place < keys_drawn_max) {
            drawn_[place] = {write.column, write.key};
        }
    }
}

Result<void> ReplayedStore::read_drawn(Instant at) {
    if (drawn_.empty()) return {};
    const DrawnKey& one = drawn_[scale_to(prng_.next(), drawn_.size())];
    if (auto found = read(one.column, one.key, at); !found)
        return tl::unexpected<Error>(found.error());
    return {};
}

// --- the folder ---

Result<void> ReplayedStore::open() {
    RocksOptions options;
    options.dir = options_.dir;
    auto opened = DataFolder::open(options);
    if (!opened) return tl::unexpected<Error>(opened.error());
    folder_ = std::move(*opened);
    return {};
}

void ReplayedStore::shut() {
    if (!folder_) return;
    const RocksStore::Usage usage = folder_->store->usage();
    figures_.compactions += usage.compactions;
    if (!usage.held_back) figures_.held_back.reset();
    if (figures_.held_back) figures_.held_back = *figures_.held_back + *usage.held_back;
    figures_.pending_max = std::max(figures_.pending_max, usage.pending_compaction_bytes);
    folder_.reset();
}

void ReplayedStore::close() {
    catch_up();
    if (!failure_.empty()) return;
    end_meter();
    if (auto flushed = folder_->store->flush(); !flushed) return fail_with(flushed.error().message);
    figures_.disk_bytes += folder_->store->usage().disk_bytes;
    shut();
}

ReplayedStore::Checked ReplayedStore::check(const SimDisk& wanted) {
    Checked out;
    const FsckReport report = fsck(options_.dir);
    out.damage = report.unlisted;
    for (const Finding& finding : report.findings) {
        if (finding.severity == Finding::Severity::note) continue;
        ++out.damage;
        if (out.findings.size() < StoreDifference::texts_max)
            out.findings.push_back(finding.where + ": " + finding.what);
    }
    const auto votes = [&]() -> Result<VoteLogContents> {
        if (auto opened = open(); !opened) return tl::unexpected<Error>(opened.error());
        return folder_->votes->read();
    }();
    if (!votes) {
        out.difference.keys = wanted.contents().size();
        out.difference.add(std::max<std::uint64_t>(1, out.difference.keys), votes.error().message);
    } else {
        out.difference = compare(*folder_->store, *votes, wanted, options_.goes_on);
    }
    folder_.reset();
    if (out.difference.is_stopped) fail_with("the run was stopped");
    return out;
}

// --- figures ---

template <class Work>
Duration ReplayedStore::timed(const Work& work) const {
    const auto begin = Clock::now();
    work();
    const std::chrono::nanoseconds took = Clock::now() - begin;
    return Duration::from_ns(took.count());
}

void ReplayedStore::spend(Duration took, std::uint64_t keys) {
    figures_.busy = figures_.busy + took;
    meter_.busy = meter_.busy + took;
    meter_.keys += keys;
    if (meter_.busy < meter_span) return;
    count_calls();
    end_meter();
}

void ReplayedStore::count_calls() {
    const auto now = file_calls();
    if (now && calls_at_) {
        const std::uint64_t more = *now - std::min(*now, *calls_at_);
        figures_.calls = figures_.calls.value_or(0) + more;
        meter_.calls += more;
    }
    calls_at_ = now;
    if (folder_)
        figures_.pending_max =
            std::max(figures_.pending_max, folder_->store->usage().pending_compaction_bytes);
}

/// What is left at the end is shorter, and counts when it is all there is.
void ReplayedStore::end_meter() {
    const double span_s = static_cast<double>(meter_.busy.ns()) / 1e9;
    const bool is_whole = meter_.busy >= meter_span;
    if (span_s > 0 && (is_whole || figures_.keys_peak == 0)) {
        const auto peak = [&](double& to, std::uint64_t count) {
            to = std::max(to, static_cast<double>(count) / span_s);
        };
        peak(figures_.keys_peak, meter_.keys);
        peak(figures_.calls_peak, meter_.calls);
    }
    meter_ = {};
}

void ReplayedStore::pop() {
    waiting_bytes_ -= waiting_.front().bytes;
    waiting_.pop_front();
}

/// What it holds goes at once: the disk may be full.
void ReplayedStore::fail_with(std::string why) {
    failure_ = std::move(why);
    waiting_.clear();
    waiting_bytes_ = 0;
    folder_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(options_.dir, ignored);
}

}  // namespace creto
